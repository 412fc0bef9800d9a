"""Attacks on a classifier: projected gradient descent, universal perturbations and patches."""
