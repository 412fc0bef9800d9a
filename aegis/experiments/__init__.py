"""Computes tables and figures of the paper and scans of the bank, from files in ``results``."""
