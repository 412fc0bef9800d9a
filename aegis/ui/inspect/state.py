"""The state of Inspect Class in a session, kept in step with the page's address."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Bool, Int64

from aegis.ui.components.palette import keep_colours
from aegis.ui.inspect.view import View, read_view, unpack

SCAN, CLASS, BUDGET = "inspect-scan", "inspect-class", "inspect-budget"
COLOUR, SHOW, ALONE, METHOD = "inspect-colour", "inspect-show", "inspect-alone", "inspect-method"
SPACE = "inspect-space"
CHART, RESET = "inspect-chart", "inspect-reset"
# Keys that no widget has: packed selection, bandwidth of a link, colours, last written address, what was shown last,
# what was begun last, and what was picked.
_SELECTION, _BANDWIDTH, _COLOURS, _WRITTEN, _SHOWN, _BEGUN, PICKED = (
    f"inspect-state-{name}" for name in ("selection", "bandwidth", "colours", "written", "shown", "begun", "picked")
)


def follow_address() -> None:
    """Takes over the view of a link; without one, the last view."""
    here, written = st.query_params.to_dict(), st.session_state.get(_WRITTEN)
    if here == written and SCAN in st.session_state:
        return
    view = read_view(here or written or {})
    wanted = {
        SCAN: view.scan,
        CLASS: view.label,
        BUDGET: view.budget,
        COLOUR: view.colour,
        SHOW: view.show,
        SPACE: view.space,
        ALONE: view.alone,
        METHOD: view.method,
        _SELECTION: view.selection,
        _BANDWIDTH: view.bandwidth,
    }
    st.session_state.update(wanted)
    st.session_state[_WRITTEN] = view.parameters()
    st.session_state.pop(_COLOURS, None)


def keep_choices() -> None:
    """Restores choices that a browser forgot, as it may where one run of the page was cut short by the next."""
    view = read_view(st.session_state.get(_WRITTEN) or {})
    kept = {SPACE: view.space, COLOUR: view.colour, SHOW: view.show, ALONE: view.alone}
    if view.scan == st.session_state.get(SCAN):
        # Another scan begins with its own.
        kept[METHOD] = view.method
    for key, value in kept.items():
        if st.session_state.get(key) is None:
            st.session_state[key] = value


def write_address(view: View) -> None:
    """Writes the view into the page's address."""
    parameters = view.parameters()
    if st.query_params.to_dict() != parameters:
        st.query_params.from_dict(parameters)
    st.session_state[_WRITTEN] = parameters


def set_scan(key: str) -> None:
    """Chooses another scan; called before its box is drawn."""
    st.session_state[SCAN] = key
    forget_class()


def set_class(label: int) -> None:
    """Chooses another class, as if in the box; called before the box is drawn."""
    st.session_state[CLASS] = label
    forget_selection()


def forget_class() -> None:
    """Forgets class and budget, which belong to another scan."""
    st.session_state[CLASS] = st.session_state[BUDGET] = st.session_state[METHOD] = None
    forget_selection()


def forget_selection() -> None:
    """Forgets the selected points, which belong to another class."""
    st.session_state[_SELECTION] = ""
    st.session_state[_BANDWIDTH] = None
    st.session_state.pop(_COLOURS, None)


def selection(points: int) -> Bool[np.ndarray, " p"]:
    """Reads the selection of this session.

    Returns:
        True for selected points.
    """
    return unpack(st.session_state.get(_SELECTION, ""), points)


def select(packed: str) -> None:
    """Remembers selected rows, packed by ``view.pack``."""
    st.session_state[_SELECTION] = packed


def take_picked() -> None:
    """Takes what was picked in the chart; called before the page is drawn."""
    said = st.session_state.get(CHART)
    st.session_state[PICKED] = said.get("picked") if said else None


def new_pick() -> Mapping[str, Any] | None:
    """Gives what was picked since the page was last drawn, once."""
    picked = st.session_state.pop(PICKED, None)
    return picked if isinstance(picked, Mapping) else None


def note_shown(label: int, scan: str, budget: float, method: str) -> None:
    """Remembers what is shown of a class, for as long as another view of it is computed.

    Args:
        label: the class.
        scan: key of the scan.
        budget: L2 radius.
        method: of the embedding.
    """
    st.session_state[_SHOWN] = (label, scan), (budget, method)


def note_computing(what: Hashable) -> Hashable:
    """Remembers what is computed from now on.

    Args:
        what: says what, as given to ``start_look``.

    Returns:
        What was computed before in this session, or None.
    """
    before: Hashable = st.session_state.get(_BEGUN)
    st.session_state[_BEGUN] = what
    return before


def last_shown(label: int, scan: str) -> tuple[float, str] | None:
    """Gives budget and method that a class was last shown with; None if another class was shown.

    Args:
        label: the class.
        scan: key of the scan.
    """
    of, shown = st.session_state.get(_SHOWN, (None, None))
    return shown if of == (label, scan) else None


def start_bandwidth(key: str, recorded: float) -> float:
    """Chooses the first value of a bandwidth slider.

    Args:
        key: of the slider.
        recorded: the scan's bandwidth.

    Returns:
        The value of a link that was just followed, else the slider's own, else the recorded one.
    """
    linked = st.session_state.pop(_BANDWIDTH, None)
    if linked is not None:
        st.session_state[key] = linked
    value: float = st.session_state.setdefault(key, recorded)
    return value


def go_back(budget: float, method: str) -> None:
    """Sets the widgets of budget and method; called before they are drawn.

    Args:
        budget: L2 radius.
        method: of the embedding.
    """
    st.session_state[BUDGET], st.session_state[METHOD] = budget, method


def reset(key: str, bandwidth: float, budget: float, method: str) -> Callable[[], None]:
    """Makes a callback that restores the scan's settings.

    Args:
        key: of the bandwidth slider.
        bandwidth: of the scan.
        budget: of the scan, an L2 radius.
        method: of the scan's embedding.
    """

    def back() -> None:
        st.session_state[key] = bandwidth
        go_back(budget, method)
        st.session_state.pop(_COLOURS, None)

    return back


def colours_for(recorded: Int64[np.ndarray, " p"], assignment: Int64[np.ndarray, " p"]) -> tuple[int, ...]:
    """Chooses colours of clusters, as similar to those shown last as possible.

    Args:
        recorded: the clusters that colours begin with.
        assignment: the clusters shown now.

    Returns:
        A colour number for each cluster.
    """
    first = (recorded, tuple(range(int(recorded.max()) + 1)))
    before, numbers = st.session_state.get(_COLOURS, first)
    colours = keep_colours(before, numbers, assignment)
    st.session_state[_COLOURS] = (assignment, colours)
    return colours
