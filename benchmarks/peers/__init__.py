"""The other servers that the benchmarks measure beside ours."""
