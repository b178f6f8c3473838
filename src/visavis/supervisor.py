"""Keeps the parts of `visavis serve` running, each in its own process."""
