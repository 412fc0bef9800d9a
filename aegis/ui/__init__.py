"""The dashboard; the only room of the package that imports Streamlit."""

from aegis.ui.frame import frame

__all__ = ["frame"]
