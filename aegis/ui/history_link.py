"""What the History page's address asks for: filters, which the widgets read themselves, or two scans."""

from __future__ import annotations

import streamlit as st

ONE, OTHER = "one", "other"
# Keys of the widgets, and so their names in the address.
FIND, VERDICT, PRESET, SINCE, UNTIL = "find", "verdict", "preset", "since", "until"
FILTERS = (FIND, VERDICT, PRESET, SINCE, UNTIL)


def asked_for() -> tuple[str, str] | None:
    """Keys of the two scans to compare, or None."""
    if ONE in st.query_params and OTHER in st.query_params:
        return st.query_params[ONE], st.query_params[OTHER]
    return None


def ask_for(one: str, other: str) -> None:
    """Lead to the comparison of two scans."""
    st.query_params[ONE], st.query_params[OTHER] = one, other


def ask_for_list() -> None:
    """Lead back to the list."""
    for name in (ONE, OTHER):
        st.query_params.pop(name, None)


def forget_filters() -> None:
    """Ask for all scans."""
    for name in FILTERS:
        st.session_state[name] = [] if name in (VERDICT, PRESET) else "" if name == FIND else None
