"""The sliders of epsilon and bandwidth, with the scan's own values marked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from aegis.core.types import CandidateTrigger, Clusters, Dataset, Embedding, Finding
from aegis.records.config import ScanConfig
from aegis.records.ranking import candidate_of
from aegis.ui.inspect import state
from aegis.ui.inspect.choice import Choice
from aegis.ui.inspect.opening import Opening, choose_opening
from aegis.ui.scans import clusters_at, identity

# Round numbers, about as many steps apart at the small end, where attacks begin to work, as where pixels saturate.
OFFERED = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 70, 100, 140, 200, 300, 500, 700, 1000)
HELP = (
    "How far each image was changed on its way into the class: the L2 norm of the change, epsilon in the paper. Marked "
    "are the budgets of the scan, with their numbers, and those computed since, which are there at once; others are "
    "computed when you ask for them."
)
# Bandwidths on offer, as multiples of the computed one: steps of about four per cent, as far as both ends make sense.
LOWEST, HIGHEST, STEPS = 0.25, 2.5, 60
BANDWIDTH_HELP = (
    "Radius within which mean shift takes points for one cluster. A smaller one finds more clusters. The scan computed "
    "it from the points."
)


def choose_budget(finding: Finding, first: float, computed: Collection[float]) -> float:
    """Shows a slider of budgets.

    Args:
        finding: the class.
        first: the budget that it begins with.
        computed: budgets that are there beside those of the scan; they are marked without words, for want of room.

    Returns:
        The chosen L2 radius.
    """
    recorded = finding.evidence.budgets
    value = st.session_state.get(state.BUDGET)
    # A scan may have used a budget beyond those on offer.
    if not isinstance(value, float | int) or not (value in recorded or OFFERED[0] <= value <= OFFERED[-1]):
        value = first
    value = float(value)
    # Only where it differs: setting the value would undo a move of the slider.
    if st.session_state.get(state.BUDGET) != value:
        st.session_state[state.BUDGET] = value
    options = sorted({float(one) for one in (*OFFERED, *recorded, *computed, value)})
    with st.container(key="inspect-epsilon"):
        chosen: float = st.select_slider(
            "Change allowed (ε)", options, format_func="{:g}".format, key=state.BUDGET, help=HELP
        )
        words = dict.fromkeys(computed, "") | {budget: f"{budget:g}" for budget in recorded}
        marks({options.index(budget) / (len(options) - 1): said for budget, said in words.items()})
    return chosen


def opening_of(choice: Choice, scanned: Finding, data: Dataset | None) -> Opening:
    """Chooses the budget that a class is opened at.

    Args:
        choice: the class.
        scanned: finding of the scan.
        data: the scan's images, or None where they are no longer to be had.
    """
    return _opening(identity(choice.record), scanned.label, data is not None, choice, scanned, data)


@st.cache_data(max_entries=256, show_spinner=False)
def _opening(
    identity: str, label: int, has_images: bool, _choice: Choice, _scanned: Finding, _data: Dataset | None
) -> Opening:
    seeds = None if _data is None else _data.train.pixels[_scanned.evidence.seed_index]
    return choose_opening(_scanned.evidence, found_trigger(_choice, _scanned), seeds)


def found_trigger(choice: Choice, scanned: Finding) -> CandidateTrigger | None:
    """Finds the trigger that a class was flagged for.

    Returns:
        The trigger; None where the class is not flagged, or was for something else.
    """
    return candidate_of(choice.entry, scanned) if choice.entry.flagged else None


def say_opening(opening: Opening, epsilon: float) -> None:
    """Says which budget shows most, and why.

    Args:
        opening: that budget.
        epsilon: the budget that is shown.
    """
    said = "Opened at" if epsilon == opening.budget else "This class is seen best at"
    st.caption(f"{said} ε = {opening.budget:g}, {opening.because}.", width="content")


def marks(at: Mapping[float, str]) -> None:
    """Writes words below the slider drawn last, each at its place along it."""
    each = "".join(f'<span style="left: {share:.2%}"><i></i>{words}</span>' for share, words in at.items())
    st.html(f'<div class="aegis-mark">{each}</div>')


def bandwidths(computed: float, *others: float) -> tuple[float, ...]:
    """Lists the bandwidths of the slider.

    Args:
        computed: the one that mean shift computes.
        others: further ones to include.

    Returns:
        Bandwidths, growing.
    """
    grid = np.geomspace(LOWEST, HIGHEST, STEPS) * computed
    return tuple(sorted({float(f"{value:.3g}") for value in grid} | {computed, *others}))


@dataclass(frozen=True, eq=False)
class Grouping:
    """The clusters shown, and those of the scan.

    Args:
        shown, recorded: equal unless a what-if is on.
        colours: colour number of each cluster shown.
    """

    shown: Clusters
    recorded: Clusters
    colours: tuple[int, ...]

    @property
    def what_if(self) -> bool:
        """Whether the bandwidth differs from the scan's."""
        return self.shown.bandwidth != self.recorded.bandwidth


def choose_bandwidth(
    choice: Choice, finding: Finding, budget: int, alone: bool, config: ScanConfig, method: str
) -> tuple[Grouping, str]:
    """Shows a slider of bandwidths.

    Args:
        choice, finding: the class.
        budget: position of the budget.
        alone: leave the training images out (Fig. 16).
        config: the scan's settings.
        method: of the embedding.

    Returns:
        The clusters at the chosen bandwidth, and the slider's key.
    """
    recorded = (finding.translated_clusters if alone else finding.clusters)[budget]
    embedding: Embedding = finding.embeddings[budget]
    key = f"inspect-bandwidth-{choice.key[:16]}-{finding.label}-{embedding.budget:g}-{method}-{alone}"
    value = state.start_bandwidth(key, recorded.bandwidth)
    known, where = f"{identity(choice.record)} {method}", (finding.label, embedding)
    computed = recorded.bandwidth
    if config.judge.bandwidth is not None:
        unset = replace(config.judge, bandwidth=None)
        computed = clusters_at(known, *where, embedding.budget, unset, alone).bandwidth
    options = bandwidths(computed, recorded.bandwidth, value)
    chosen = st.select_slider("Bandwidth", options, format_func="{:.4g}".format, key=key, help=BANDWIDTH_HELP)
    marks({options.index(computed) / (len(options) - 1): f"computed: {computed:.4g}"})
    shown = recorded
    if chosen != recorded.bandwidth:
        shown = clusters_at(known, *where, embedding.budget, replace(config.judge, bandwidth=chosen), alone)
    return Grouping(shown, recorded, state.colours_for(recorded.assignment, shown.assignment)), key
