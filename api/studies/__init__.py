"""Studies that the service runs for its users, each a process of its own."""
