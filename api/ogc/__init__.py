"""OGC API - Features: zones, drafts, closures, posts, beats, units and streets for a GIS."""
