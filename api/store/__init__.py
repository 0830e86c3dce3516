"""What is kept between requests: one contract, and the engines behind it."""
