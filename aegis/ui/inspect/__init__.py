"""The Inspect Class page."""
