"""Contracts of the wire that several packages share."""
