"""Imports in the background what pages will need, so that the first visitor of a new server does not wait for it."""

from __future__ import annotations

import importlib
import threading

import streamlit as st

# In the order in which pages need them. Pandas comes first, since plotly would use it half imported.
LIBRARIES = ("pandas", "plotly.graph_objects", "torch", "scipy.optimize", "sklearn.cluster", "openTSNE")
# Seconds, in which the first page is drawn.
DELAY = 1.0


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Timer:
    """Begins to import the libraries soon, once for a server.

    Returns:
        The timer, whose thread imports them.
    """
    timer = threading.Timer(DELAY, import_libraries)
    timer.daemon = True
    timer.start()
    return timer


def import_libraries() -> None:
    """Imports the libraries that take seconds."""
    for name in LIBRARIES:
        importlib.import_module(name)
