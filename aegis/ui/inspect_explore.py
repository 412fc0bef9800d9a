"""The heart of Inspect Class: scatter, gallery and what they tell, redrawn together without the rest of the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import streamlit as st
from jaxtyping import Bool, Int64

from aegis.detect.config import ScanConfig
from aegis.models.card import printable
from aegis.types import Clusters, Dataset, Embedding, Finding
from aegis.ui import charts
from aegis.ui import inspect_state as state
from aegis.ui.inspect_choice import Choice
from aegis.ui.inspect_details import show_details
from aegis.ui.inspect_gallery import show_gallery
from aegis.ui.inspect_select import apply_event, bandwidths
from aegis.ui.inspect_shift import shift_held, watch_shift
from aegis.ui.inspect_subject import Subject
from aegis.ui.inspect_view import COLOURS, View, pack
from aegis.ui.palette import palette
from aegis.ui.scans import clusters_at, identity

MODES: tuple[Literal["points", "box", "lasso"], ...] = ("points", "box", "lasso")
BAR = {"displaylogo": False, "scrollZoom": True, "modeBarButtonsToRemove": ["zoom2d", "autoScale2d"]}
EPSILON_HELP = (
    "How far each image was changed on its way into the class: the L2 norm of the change, epsilon in the paper. These "
    "are the budgets this scan kept; for another one, scan again with it."
)
BANDWIDTH_HELP = (
    "Radius within which mean shift takes points for one cluster. A smaller one finds more clusters. The scan computed "
    "it from the points."
)
ALONE_HELP = (
    "Leave the class's own training images out, as in Fig. 16 of the paper, and cluster the translated ones alone."
)


@dataclass(frozen=True, eq=False)
class Grouping:
    """The clusters shown, and those recorded.

    Args:
        shown, recorded: equal unless a what-if is on.
        colours: colour number of each cluster shown.
    """

    shown: Clusters
    recorded: Clusters
    colours: tuple[int, ...]

    @property
    def what_if(self) -> bool:
        """Whether the bandwidth is another than that of the scan."""
        return self.shown.bandwidth != self.recorded.bandwidth


@st.fragment
def explore(choice: Choice, finding: Finding, data: Dataset | None, config: ScanConfig) -> None:
    """Everything that follows clicks and sliders.

    Args:
        choice: the class.
        finding: what the scan found there.
        data: the scan's images, or None where they are no longer to be had.
        config: the scan's settings.
    """
    colours = palette(st.context.theme.type)
    views, slider = st.columns([5, 3], gap="medium")
    with views:
        budget, alone, colour = _choose_view(finding, has_seeds=data is not None)
    with slider:
        grouping, key = _choose_bandwidth(choice, finding, budget, alone, config)
    _tell_what_if(grouping, key)
    embedding = finding.embeddings[budget]
    selected = state.selection(len(embedding.points))
    event = state.new_event()
    if event is not None:
        selected = apply_event(event, selected, grouping.shown.assignment, shift_held())
    if alone:
        selected = selected & embedding.is_translated
    state.select(pack(selected))
    subject = Subject(choice.record, finding, data, config, budget, selected, grouping.shown, colours)
    left, right = st.columns([6, 5], gap="medium")
    # First the pictures: the browser fetches them while it draws the chart.
    with right:
        show = show_gallery(subject)
    with left:
        watch_shift()
        _draw(subject, grouping, alone, colour)
    show_details(subject)
    state.write_address(
        View(
            scan=choice.key,
            label=finding.label,
            budget=embedding.budget,
            bandwidth=grouping.shown.bandwidth if grouping.what_if else None,
            alone=alone,
            colour=colour,
            show=show,
            selection=pack(selected),
        )
    )


def _choose_view(finding: Finding, has_seeds: bool) -> tuple[int, bool, str]:
    budgets = finding.evidence.budgets
    if st.session_state.get(state.BUDGET) not in budgets:
        st.session_state[state.BUDGET] = default_budget(finding)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        budget = st.segmented_control(
            "Change allowed (ε)", budgets, format_func="{:g}".format, key=state.BUDGET, required=True, help=EPSILON_HELP
        )
        # Without the images nobody knows the seeds' classes.
        offered = [name for name in COLOURS if has_seeds or name != "class"]
        if st.session_state.get(state.COLOUR) not in offered:
            st.session_state[state.COLOUR] = "cluster"
        colour = st.segmented_control(
            "Colour by", offered, format_func=COLOURS.__getitem__, key=state.COLOUR, required=True
        )
        alone = st.toggle("Translated only", key=state.ALONE, help=ALONE_HELP)
    assert budget is not None
    assert colour is not None
    return budgets.index(budget), alone, colour


def default_budget(finding: Finding) -> float:
    """The budget at which most clusters were found, the largest of these."""
    counts = [clusters.count for clusters in finding.clusters]
    best = max(range(len(counts)), key=lambda i: (counts[i], i))
    return finding.evidence.budgets[best]


def _choose_bandwidth(
    choice: Choice, finding: Finding, budget: int, alone: bool, config: ScanConfig
) -> tuple[Grouping, str]:
    recorded = (finding.translated_clusters if alone else finding.clusters)[budget]
    embedding: Embedding = finding.embeddings[budget]
    key = f"inspect-bandwidth-{choice.key[:16]}-{finding.label}-{budget}-{alone}"
    value = state.start_bandwidth(key, recorded.bandwidth)
    known, where = identity(choice.record), (finding.label, embedding)
    computed = recorded.bandwidth
    if config.judge.bandwidth is not None:
        unset = replace(config.judge, bandwidth=None)
        computed = clusters_at(known, *where, embedding.budget, unset, alone).bandwidth
    options = bandwidths(computed, recorded.bandwidth, value)
    chosen = st.select_slider("Bandwidth", options, format_func="{:.4g}".format, key=key, help=BANDWIDTH_HELP)
    _mark(options.index(computed) / (len(options) - 1), computed)
    shown = recorded
    if chosen != recorded.bandwidth:
        shown = clusters_at(known, *where, embedding.budget, replace(config.judge, bandwidth=chosen), alone)
    return Grouping(shown, recorded, state.colours_for(recorded.assignment, shown.assignment)), key


def _mark(share: float, computed: float) -> None:
    """A mark below the slider."""
    st.html(f'<div class="aegis-mark"><span style="left: {share:.2%}"><i></i>computed: {computed:.4g}</span></div>')


def _draw(subject: Subject, grouping: Grouping, alone: bool, colour: str) -> None:
    embedding = subject.embedding
    visible = embedding.is_translated | (not alone)
    groups = group(subject, grouping, visible, colour)
    name = printable(subject.name, 40)
    title = f"Class {subject.finding.label} ({name}): {_count(grouping.shown.count, 'cluster')}"
    figure = charts.scatter(
        embedding.points,
        embedding.is_translated,
        groups,
        subject.selected,
        subject.hover(),
        title,
        grouping.shown.bandwidth,
        subject.palette,
        state.drawing(),
    )
    st.plotly_chart(
        figure,
        key=state.CHART,
        theme=None,
        on_select="rerun",
        selection_mode=MODES,
        config=BAR,
        alt=charts.describe_scatter(name, groups, int(subject.selected.sum()), grouping.shown.bandwidth),
    )
    shapes = "" if alone else " Filled: translated images. Open: the class's own training images."
    st.caption(
        f"Click a point to select its cluster; with Shift, to add or remove one; or draw a box or a lasso.{shapes}"
    )


def group(subject: Subject, grouping: Grouping, visible: Bool[np.ndarray, " p"], colour: str) -> list[charts.Group]:
    """Points in groups of one colour."""
    translated = subject.embedding.is_translated
    if colour == "cluster":
        assignment = grouping.shown.assignment
        members = [np.flatnonzero((assignment == c) & visible) for c in range(grouping.shown.count)]
        return [charts.Group(f"cluster {c + 1}", rows, grouping.colours[c]) for c, rows in enumerate(members)]
    training = charts.Group("training", np.flatnonzero(~translated & visible), None if colour == "class" else 1)
    if colour == "class" and subject.seed_labels is not None:
        labels: Int64[np.ndarray, " n"] = subject.seed_labels
        names, rows = subject.record.data.class_names, np.flatnonzero(translated)
        found = [
            charts.Group(f"from {printable(names[label], 24)}", rows[labels == label], int(label))
            for label in np.unique(labels)
        ]
    else:
        found = [charts.Group("translated", np.flatnonzero(translated), 0)]
    return [*found, *([training] if len(training.rows) else [])]


def _tell_what_if(grouping: Grouping, key: str) -> None:
    if not grouping.what_if:
        return
    shown, recorded = grouping.shown, grouping.recorded
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="inspect-what-if"):
        st.badge("What if", icon=":material/science:", color="yellow")
        st.markdown(
            f"At bandwidth {shown.bandwidth:.4g} there {'is' if shown.count == 1 else 'are'} "
            f"{_count(shown.count, 'cluster')}; the scan found {recorded.count} at {recorded.bandwidth:.4g}. "
            "Its recorded verdict stays.",
            width="stretch",
        )
        st.button("Reset", key=state.RESET, icon=":material/undo:", on_click=state.reset(key, recorded.bandwidth))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
