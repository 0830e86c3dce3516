"""Queues whose answers are known exactly: what simulations are held against."""
