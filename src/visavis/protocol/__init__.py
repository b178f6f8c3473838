"""Wire contracts that several packages share."""
