"""The Scan page."""
