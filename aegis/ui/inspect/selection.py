"""Turns clicks, boxes and lassos, with and without Shift, into selected points; bandwidths to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Bool, Int64

# The chart does not report whether Shift was held.
KEY = "inspect-shift"
# Reports only changes, before the chart reports the click, so that usual clicks cost nothing.
_SCRIPT = """
export default function ({ setStateValue }) {
  const tell = (event) => {
    const held = event.shiftKey;
    if (held === window.aegisShift || !(event.target instanceof Element)) return;
    if (!event.target.closest('[class*="st-key-inspect-chart"]')) return;
    window.aegisShift = held;
    setStateValue("held", held);
  };
  window.aegisShift ??= false;
  document.addEventListener("pointerdown", tell, true);
  return () => document.removeEventListener("pointerdown", tell, true);
}
"""

# Bandwidths on offer, as multiples of the computed one: steps of about four per cent, as far as both ends make sense.
LOWEST, HIGHEST, STEPS = 0.25, 2.5, 60


def apply_event(
    event: Mapping[str, Any], selected: Bool[np.ndarray, " p"], assignment: Int64[np.ndarray, " p"], adding: bool
) -> Bool[np.ndarray, " p"]:
    """The selection after something was clicked or drawn.

    A click selects the whole cluster of its point, a box or a lasso exactly what lies in it. Nothing hit leaves the
    selection as it is.

    Args:
        event: plotly's selection.
        selected: the selection before.
        assignment: cluster of each point, -1 for points left out.
        adding: keep what was selected; a click on a point that was selected takes its cluster away.

    Returns:
        The selection after it.
    """
    hit = _rows(event, len(selected))
    if not hit.any():
        return selected
    drawn = event.get("box") or event.get("lasso")
    chosen: np.ndarray = hit if drawn else _clusters_of(hit, assignment)
    if not adding:
        return chosen
    takes_away = not drawn and bool((hit & selected).any())
    together: np.ndarray = selected & ~chosen if takes_away else selected | chosen
    return together


def bandwidths(computed: float, *others: float) -> tuple[float, ...]:
    """List the bandwidths of the slider.

    Args:
        computed: the one that mean shift computes.
        others: further ones to include.

    Returns:
        Bandwidths, growing.
    """
    grid = np.geomspace(LOWEST, HIGHEST, STEPS) * computed
    return tuple(sorted({float(f"{value:.3g}") for value in grid} | {computed, *others}))


def _rows(event: Mapping[str, Any], points: int) -> Bool[np.ndarray, " p"]:
    hit = np.zeros(points, bool)
    for point in event.get("points", ()):
        custom = point.get("customdata")
        row = custom[0] if isinstance(custom, (list, tuple)) and custom else None
        if isinstance(row, int) and 0 <= row < points:
            hit[row] = True
    return hit


def _clusters_of(rows: Bool[np.ndarray, " p"], assignment: Int64[np.ndarray, " p"]) -> Bool[np.ndarray, " p"]:
    # A point that was left out of clustering stands for itself.
    whole: np.ndarray = np.isin(assignment, np.setdiff1d(assignment[rows], [-1])) | rows
    return whole


def watch_shift() -> None:
    """Make the browser report whether Shift is held; nothing is visible."""
    watch = st.components.v2.component("aegis_shift", js=_SCRIPT)
    watch(key=KEY, default={"held": False}, on_held_change=lambda: None, height=0)


def shift_held() -> bool:
    """Tell whether Shift was held at the last click, box or lasso, which adds to the selection.

    Returns:
        True if it was.
    """
    said = st.session_state.get(KEY)
    return bool(said and said["held"])
