"""Imports plotly, for all charts."""

# plotly takes pandas for whole while a scan's thread is still importing it, and whoever opens a chart at that moment
# sees an error. After this line it is whole.
import pandas  # noqa: F401
import plotly.graph_objects as go

__all__ = ["go"]
