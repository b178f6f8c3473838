"""The recorder: muxes the recordings in the spool and delivers them to the recording servers."""
