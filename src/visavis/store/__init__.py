"""SQLite behind the ports of `services`: tables, queries and migrations."""
