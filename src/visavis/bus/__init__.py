"""Messages between the tasks and sockets of a node."""
