"""Strangers' checkpoint files, read in a confined process."""
