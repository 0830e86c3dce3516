"""Closures of streets as living data: kept, activated and ended, and shown to every decision."""
