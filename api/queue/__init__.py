"""Calls that wait for units: kept, looked at again together, announced when something changes."""
