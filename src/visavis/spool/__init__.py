"""The spool: a directory with the recordings that have not been delivered yet."""
