"""The epsilon slider, with the budgets of the scan marked."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from aegis.core.types import Finding
from aegis.ui.inspect import state

# Round numbers, about as many steps apart at the small end, where attacks begin to work, as where pixels saturate.
OFFERED = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 70, 100, 140, 200, 300, 500, 700, 1000)
HELP = (
    "How far each image was changed on its way into the class: the L2 norm of the change, epsilon in the paper. Marked "
    "are the budgets of the scan, which are there at once; others are computed when you ask for them."
)


def choose_budget(finding: Finding) -> float:
    """Show a slider of budgets.

    Args:
        finding: the class.

    Returns:
        The chosen L2 radius.
    """
    recorded = finding.evidence.budgets
    value = st.session_state.get(state.BUDGET)
    # A scan may have used a budget beyond those on offer.
    if not isinstance(value, float | int) or not (value in recorded or OFFERED[0] <= value <= OFFERED[-1]):
        value = recorded_budget(finding)
    value = float(value)
    # Only where it differs: setting the value would undo a move of the slider.
    if st.session_state.get(state.BUDGET) != value:
        st.session_state[state.BUDGET] = value
    options = sorted({float(one) for one in (*OFFERED, *recorded, value)})
    with st.container(key="inspect-epsilon"):
        chosen: float = st.select_slider(
            "Change allowed (ε)", options, format_func="{:g}".format, key=state.BUDGET, help=HELP
        )
        marks({options.index(budget) / (len(options) - 1): f"{budget:g}" for budget in recorded})
    return chosen


def recorded_budget(finding: Finding) -> float:
    """Find the budget at which the scan found most clusters.

    Args:
        finding: the class.

    Returns:
        The L2 radius, the largest of several.
    """
    counts = [clusters.count for clusters in finding.clusters]
    best = max(range(len(counts)), key=lambda i: (counts[i], i))
    return finding.evidence.budgets[best]


def marks(at: Mapping[float, str]) -> None:
    """Write words below the slider drawn last, each at its place along it."""
    each = "".join(f'<span style="left: {share:.2%}"><i></i>{words}</span>' for share, words in at.items())
    st.html(f'<div class="aegis-mark">{each}</div>')
