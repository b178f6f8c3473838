"""The nodes of a cluster: the owner of each site, and the pages of sites that others own."""
