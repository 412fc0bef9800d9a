"""The choice of space, colours and method of a view."""

from __future__ import annotations

import streamlit as st

from aegis.records.wording import METHODS
from aegis.ui.inspect import state
from aegis.ui.inspect.view import COLOURS, DEFAULT_SPACE, SPACES

METHOD_HELP = (
    "How features of many dimensions become points in the plane. The clusters depend on it; the verdict was reached "
    "with the one that the scan used."
)
SPACE_HELP = (
    "Change: what translation did to each image, whatever was there before. This space is ours, not the paper's. "
    "Features: the paper's space, the model's features of training and translated images together. Neither decides the "
    "verdict, and in neither does the number of clusters point at a backdoor."
)


def choose_space(has_seeds: bool) -> str:
    """Shows the choice of a space.

    Args:
        has_seeds: whether the images before translation are at hand.

    Returns:
        One of ``SPACES``.
    """
    # Without the seeds nobody knows what changed.
    offered = [name for name in SPACES if has_seeds or name != "change"]
    if st.session_state.get(state.SPACE) not in offered:
        st.session_state[state.SPACE] = DEFAULT_SPACE if has_seeds else offered[0]
    space = st.segmented_control(
        "Space", offered, format_func=SPACES.__getitem__, key=state.SPACE, required=True, width="content",
        help=SPACE_HELP, on_change=state.forget_selection,
    )  # fmt: skip
    assert space is not None
    return space


def choose_view(method: str, has_seeds: bool) -> tuple[str, str]:
    """Shows the choice of colours and of the embedding's method.

    Args:
        method: of the scan.
        has_seeds: whether the images before translation are at hand.

    Returns:
        The method, and one of ``COLOURS``.
    """
    # Without the images nobody knows the seeds' classes.
    offered = [name for name in COLOURS if has_seeds or name != "class"]
    if st.session_state.get(state.COLOUR) not in offered:
        st.session_state[state.COLOUR] = "cluster"
    colour = st.segmented_control(
        "Colour by", offered, format_func=COLOURS.__getitem__, key=state.COLOUR, required=True, width="content"
    )
    if st.session_state.get(state.METHOD) not in METHODS:
        st.session_state[state.METHOD] = method
    drawn = st.segmented_control(
        "Drawn by", list(METHODS), format_func=METHODS.__getitem__, key=state.METHOD, required=True, width="content",
        help=METHOD_HELP,
    )  # fmt: skip
    assert colour is not None
    assert drawn is not None
    return drawn, colour
