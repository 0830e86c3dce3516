"""A study as one page that opens without a network, and as files for other programs."""
