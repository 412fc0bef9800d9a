"""Tables and figures of the paper, and the bank's scans, from files in ``results``."""
