"""The History page: the list of finished scans, or two of them side by side, as its address asks."""

from __future__ import annotations

import streamlit as st

from aegis.errors import AegisError
from aegis.ui.history_compare import show_comparison
from aegis.ui.history_link import asked_for
from aegis.ui.history_list import show_list
from aegis.ui.scan_recent import show_running
from aegis.ui.widgets import complain


def history_page() -> None:
    """Show the list, or the comparison that the address asks for."""
    heading = st.container(horizontal=True, vertical_alignment="center")
    heading.title("History", anchor=False)
    try:
        pair = asked_for()
        if pair is None:
            # What is not finished comes first: what runs, and what was interrupted.
            show_running()
            show_list()
        else:
            show_comparison(pair, heading)
    except AegisError as error:
        complain(str(error), "Not possible")
