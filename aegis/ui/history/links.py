"""Addresses of the list and of the comparison; the widgets of the list read its filters themselves.

The two are pages of their own, since an address with parameters of widgets cannot be left for another of its page.
"""

from __future__ import annotations

import streamlit as st

from aegis.ui.components.widgets import COMPARE, HISTORY

ONE, OTHER = "one", "other"
# Keys of the widgets, and so their names in the address.
FIND, VERDICT, PRESET, SINCE, UNTIL = "find", "verdict", "preset", "since", "until"
LEFT = "history-left"
FILTERS = (FIND, VERDICT, PRESET, SINCE, UNTIL)


def asked_for() -> tuple[str, ...]:
    """Read from the page's address which scans to compare.

    Returns:
        Their keys.
    """
    return tuple(st.query_params[name] for name in (ONE, OTHER) if name in st.query_params)


def link_to_comparison(label: str, one: str, other: str, tip: str | None = None) -> None:
    """Show a link to the comparison of two scans, from which the way back leads to the list as it is now.

    Args:
        label: of the link.
        one, other: keys of the scans.
        tip: shown on hover.
    """
    st.session_state[LEFT] = {name: st.query_params.get_all(name) for name in FILTERS if name in st.query_params}
    st.page_link(
        COMPARE,
        label=label,
        icon=":material/compare_arrows:",
        query_params={ONE: one, OTHER: other},
        help=tip,
    )


def link_to_list() -> None:
    """Show a link back to the list as it was left."""
    st.page_link(HISTORY, label="All scans", icon=":material/arrow_back:", query_params=st.session_state.get(LEFT, {}))


def forget_filters() -> None:
    """Clear all filters."""
    for name in FILTERS:
        st.session_state[name] = [] if name in (VERDICT, PRESET) else "" if name == FIND else None
