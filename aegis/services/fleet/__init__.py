"""Scans of many suspects: in pieces, side by side, each kept as it is finished; one that fails stops no other."""
