"""Coverage studies for operations: what a pair reaches, from where, with whom, and what if."""
