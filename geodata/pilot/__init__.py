"""The built-in pilot: streets, zone, posts and demonstration calls of Seattle's pilot area.

`streets` makes a street network of two tables that a person can read and correct (`streets.csv`
and `corners.csv`, see `tables`); `area` reads the zone, the posts and the demonstration calls.
This file imports nothing, so that importing one of them does not load the others.
"""
