"""Checks that need a GPU: agreement with the CPU, speed, and training and scans at the paper's scale."""
