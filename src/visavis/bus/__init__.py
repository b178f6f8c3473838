"""Messages between the sockets of a node."""
