"""Runs many tasks on several processes, each computed once."""
