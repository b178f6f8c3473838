"""The composition root: what is plugged into what."""
