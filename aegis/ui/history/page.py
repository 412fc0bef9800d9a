"""The History page, the list of finished scans, and the page that sets two of them side by side."""

from __future__ import annotations

import streamlit as st

from aegis.core.errors import AegisError
from aegis.ui.components.recent import show_interrupted, show_running
from aegis.ui.components.widgets import complain
from aegis.ui.history.compare import show_comparison
from aegis.ui.history.links import asked_for, link_to_list
from aegis.ui.history.listing import show_list


def history_page() -> None:
    """Show what runs and what is finished."""
    heading = st.container(horizontal=True, vertical_alignment="center")
    heading.title("History", anchor=False)
    try:
        # Unfinished work comes first.
        show_running()
        show_interrupted()
        show_list(heading)
    except AegisError as error:
        complain(str(error), "Not possible")


def compare_page() -> None:
    """Show the two scans that the address names."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title("Compare", anchor=False)
        link_to_list()
    try:
        show_comparison(asked_for())
    except AegisError as error:
        complain(str(error), "Not possible")
