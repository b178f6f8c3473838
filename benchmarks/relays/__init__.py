"""Our relay and its peers, each with the code to start it and to add calls."""
