"""Relays of calls, ours and our peers', each started again and driven in its own way."""
