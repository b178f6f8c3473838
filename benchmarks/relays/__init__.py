"""Relays of calls, ours and our peers', each started anew and driven in its own way."""
