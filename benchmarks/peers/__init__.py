"""Servers to which the benchmarks compare ours."""
