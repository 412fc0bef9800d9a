"""The Attack Lab page."""
