"""The rules of calls, their recording and their configuration: no I/O, no clock, no randomness."""
