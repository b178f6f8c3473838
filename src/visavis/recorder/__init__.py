"""Takes sealed journals out of the spool, muxes them and delivers them to the recording server."""
