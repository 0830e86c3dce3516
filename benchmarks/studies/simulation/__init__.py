"""The dual dispatch as it would run: calls, units, drives and holds, event by event."""
