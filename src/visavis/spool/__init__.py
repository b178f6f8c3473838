"""The spool: recordings on the disk of a media worker until they are delivered."""
