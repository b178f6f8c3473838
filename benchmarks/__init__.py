"""Benchmarks, one script per claim. Each prints a ratio to a peer measured in the same run."""
