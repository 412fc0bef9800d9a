"""Reads untrusted checkpoint files in a confined process."""
