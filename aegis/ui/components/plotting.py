"""Imports plotly, for all charts."""

# While a scan's thread is still importing pandas, plotly would use it half imported and fail.
# Importing pandas here first waits until it is complete.
import pandas  # noqa: F401
import plotly.graph_objects as go

__all__ = ["go"]
