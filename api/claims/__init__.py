"""The life of a call after its recommendation: claims, overrides, and what the CAD reports."""
