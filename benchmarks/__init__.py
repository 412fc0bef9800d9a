"""Benchmarks; results go to standard output and, when asked, to results/."""
