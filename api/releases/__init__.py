"""Drafts, publications and what is in force: the city's decisions as living data."""
