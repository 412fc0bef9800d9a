"""The Baselines page."""
