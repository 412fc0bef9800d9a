"""The Inspect Class page: its scatter and gallery are redrawn together without the rest of the page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Bool, Int64

from aegis.core.errors import AegisError
from aegis.core.text import count_of, label_with_name, printable
from aegis.core.types import CandidateTrigger, Dataset, Embedding, Finding
from aegis.records.config import ScanConfig
from aegis.records.record import config_of
from aegis.records.wording import METHODS
from aegis.ui.components import charts
from aegis.ui.components.evidence import show_trigger
from aegis.ui.components.palette import palette
from aegis.ui.components.widgets import reason_of
from aegis.ui.inspect import state
from aegis.ui.inspect.budget import Grouping, choose_bandwidth, choose_budget, found_trigger, opening_of, say_opening
from aegis.ui.inspect.change_space import in_change_space, likeness
from aegis.ui.inspect.choice import Choice, choose, show_verdict
from aegis.ui.inspect.clusters import summarise
from aegis.ui.inspect.details import show_details
from aegis.ui.inspect.gallery import show_gallery
from aegis.ui.inspect.scatter import scatter, sheet, show_scatter
from aegis.ui.inspect.strip import strip
from aegis.ui.inspect.subject import Subject
from aegis.ui.inspect.view import COLOURS, DEFAULT_SPACE, SPACES, View, apply_pick, pack
from aegis.ui.inspect.what_if import find_what_if_of, prompt_what_if, with_what_if
from aegis.ui.scans import find_finding
from aegis.ui.session import WhatIf, look_for_images

_STYLE = """<style>
[data-testid="stMainBlockContainer"] { max-width: 88rem; padding: 3.5rem 2rem 2rem; }
[data-testid="stMainBlockContainer"] [data-testid="stImage"] img { image-rendering: pixelated; }
.st-key-inspect-trigger .aegis-trigger figure { flex: 0 0 4.5rem; }
.st-key-inspect-trigger .aegis-trigger figcaption { font-size: .75rem; }
.st-key-inspect-trigger .aegis-trigger b { font-size: 1.25rem; }
.aegis-cluster { display: flex; align-items: center; gap: .4rem; font-size: 1rem !important; padding: 0 !important;
  margin: 0; line-height: 1.3; }
.aegis-cluster i { width: .75rem; height: .75rem; border-radius: 50%; }
.aegis-counts { margin: 0 !important; font-size: .875rem; line-height: 1.3; }
[class*="st-key-inspect-"] [data-testid="stText"] { overflow-wrap: anywhere; }
/* The page's own wrapping of paragraphs would break the number on a slider's thumb into digits. */
[data-testid="stSlider"] p { text-wrap-mode: nowrap; }
.st-key-inspect-epsilon [data-testid="stSliderTickBar"] { display: none; }
.aegis-mark { position: relative; height: 1rem; margin: -1.25rem 0.5rem 0; font-size: 0.75rem; opacity: 0.8; }
.aegis-mark span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.aegis-mark i { display: block; width: 0; height: 0; margin: 0 auto; border: 4px solid transparent;
  border-bottom-color: currentColor; border-top: 0; }
</style>"""
METHOD_HELP = (
    "How features of many dimensions become points in the plane. The clusters depend on it; the verdict was reached "
    "with the one that the scan used."
)
SPACE_HELP = (
    "Change: what translation did to each image, whatever was there before. This space is ours, not the paper's. "
    "Features: the paper's space, the model's features of training and translated images together. Neither decides the "
    "verdict, and in neither does the number of clusters point at a backdoor."
)
LIKENESS_HELP = (
    "The mean cosine similarity of the changes to their mean, 1 if translation changes every image alike. A trigger "
    "that is spread over the image stands out among the classes of its model; a small patch does not, so that a low "
    "rank clears no class."
)
# Sliders beside one another, with the rest of the controls, on a laptop.
SLIDER = 176
ALONE_HELP = (
    "Leave the class's own training images out, as in Fig. 16 of the paper, and cluster the translated ones alone."
)


def inspect_page() -> None:
    """Shows the page below its frame."""
    st.html(_STYLE)
    title = st.container(horizontal=True, vertical_alignment="center")
    title.header("Inspect class", anchor=False, width="content")
    try:
        state.follow_address()
        choice = choose()
        if choice is not None:
            with title:
                show_verdict(choice)
            _show_class(choice)
    except AegisError as error:
        with st.container(border=True, key="inspect-problem"):
            st.text(str(error))


def _show_class(choice: Choice) -> None:
    config = config_of(choice.record)
    finding = find_finding(choice.record, choice.entry.label)
    if finding is None:
        st.text(reason_of(choice.entry))
        state.write_address(View(scan=choice.key, label=choice.entry.label))
        with st.container(border=True, key="inspect-problem"):
            st.markdown(
                "**The evidence of this class is no longer stored,** or another version of AEGIS wrote it. Scan this "
                "suspect again; its classes can then be inspected here."
            )
        return
    data, _ = look_for_images(choice.key, choice.record)
    _show_reason(choice, found_trigger(choice, finding), data)
    if data is None:
        st.info(
            "The images of this scan are not at hand, or have changed since: seeds, differences, training images and "
            "the trigger test are left out.",
            icon=":material/image_not_supported:",
        )
    explore(choice, finding, data, config)


def _show_reason(choice: Choice, trigger: CandidateTrigger | None, data: Dataset | None) -> None:
    """Says why the class was flagged or not, with the trigger that was found beside it."""
    if trigger is None:
        st.text(reason_of(choice.entry))
        return
    reason, found = st.columns([7, 4], vertical_alignment="center")
    reason.text(reason_of(choice.entry))
    with found.container(key="inspect-trigger"):
        show_trigger(choice.record, choice.entry, trigger, data)


@st.fragment
def explore(choice: Choice, scanned: Finding, data: Dataset | None, config: ScanConfig) -> None:
    """Shows everything that changes with clicks and sliders.

    Args:
        choice: the class.
        scanned: finding of the scan.
        data: the scan's images, or None where they are no longer to be had.
        config: the scan's settings.
    """
    colours, opening = palette(st.context.theme.type), opening_of(choice, scanned, data)
    with st.container(horizontal=True, gap="medium", key="inspect-controls"):
        with st.container(width=SLIDER):
            epsilon = choose_budget(scanned, opening.budget)
        bandwidth_place = st.container(width=SLIDER)
        space = _choose_space(has_seeds=data is not None)
        method, colour = _choose_view(config.embed.method, has_seeds=data is not None)
    changes = space == "change"
    about = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    with about:
        # There are no changes of training images to leave out.
        alone = not changes and st.toggle("Translated only", key=state.ALONE, help=ALONE_HELP)
        say_opening(opening, epsilon)
    # Changes need the translated images alone, whatever features are drawn by.
    needed = config.embed.method if changes else method
    what_if = WhatIf(choice.key, scanned.label, None if epsilon in scanned.evidence.budgets else epsilon, needed)
    changed = None if method == config.embed.method else method
    view = View(
        scan=choice.key, label=scanned.label, budget=epsilon, method=changed, space=space, alone=alone, colour=colour
    )
    finding = find_what_if_of(choice, scanned, what_if)
    back = epsilon if what_if.epsilon is None else opening.budget
    if finding is None:
        bandwidth_place.caption("Bandwidth: once it is computed")
        prompt_what_if(choice, data, what_if, back)
        state.write_address(view)
        return
    budget = finding.evidence.budgets.index(epsilon)
    # One place for what comes and goes, since what follows would be made anew if its own place changed.
    above = st.container()
    if changes and data is not None:
        with about:
            finding, budget = _show_changes(choice, finding, data, budget, what_if, method), 0
    with bandwidth_place:
        grouping, key = choose_bandwidth(choice, finding, budget, alone, config, f"{space} {method}")
    back_to = state.reset(key, grouping.recorded.bandwidth, back, config.embed.method)
    with above:
        _tell_what_if(grouping, replace(what_if, method=method), changed, recorded=not changes, back=back_to)
    selected = _select(finding.embeddings[budget], grouping, alone)
    subject = Subject(choice.key, choice.record, finding, data, config, budget, selected, grouping.shown, colours)
    show = _show(subject, grouping, alone, colour)
    bandwidth = grouping.shown.bandwidth if grouping.what_if else None
    state.write_address(replace(view, bandwidth=bandwidth, show=show, selection=pack(selected)))


def _show_changes(
    choice: Choice, finding: Finding, data: Dataset, budget: int, what_if: WhatIf, method: str
) -> Finding:
    """Says how alike the changes are; the finding at this budget alone, in the space of changes."""
    st.markdown(likeness(choice.record, finding, data, budget).sentence, help=LIKENESS_HELP, width="content")
    record = choice.record if what_if.epsilon is None else with_what_if(choice.record, what_if)
    return in_change_space(record, finding, data, budget, replace(config_of(choice.record).embed, method=method))


def _select(embedding: Embedding, grouping: Grouping, alone: bool) -> Bool[np.ndarray, " p"]:
    """The rows that are selected once the latest click has had its effect."""
    selected = state.selection(len(embedding.points))
    picked = state.new_pick()
    if picked is not None:
        selected = apply_pick(picked, selected, grouping.shown.assignment)
    if alone:
        selected = selected & embedding.is_translated
    state.select(pack(selected))
    return selected


def _show(subject: Subject, grouping: Grouping, alone: bool, colour: str) -> str:
    """Scatter, gallery and details; what the gallery shows."""
    embedding = subject.embedding
    groups = group(subject, grouping, embedding.is_translated | (not alone), colour)
    summaries = summarise(subject, grouping.shown)
    left, right = st.columns([6, 5], gap="medium")
    with left:
        _draw(subject, grouping, groups, strip(subject, summaries, grouping.colours, colour == "cluster"))
        shapes = (
            ""
            if alone or not subject.training_count
            else " Filled: translated images. Open: the class's own training images."
        )
        st.caption(
            "Click a point to select its cluster; with Shift, to add or remove one; or draw a box or a lasso. Two "
            f"clusters are shown side by side.{shapes}"
        )
    with right:
        show = show_gallery(subject, summaries, grouping.colours)
    show_details(subject)
    return show


def _choose_space(has_seeds: bool) -> str:
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


def _choose_view(method: str, has_seeds: bool) -> tuple[str, str]:
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


def _draw(subject: Subject, grouping: Grouping, groups: list[charts.Group], clusters: dict[str, Any]) -> None:
    embedding = subject.embedding
    name = printable(subject.name, 40)
    what = count_of(grouping.shown.count, "cluster") + ("" if subject.training_count else " of changes")
    title = f"Class {label_with_name(subject.finding.label, name)}: {what}"
    space = "features" if subject.training_count else "changes"
    bandwidth, chosen = grouping.shown.bandwidth, subject.selected
    plane = hashlib.sha256(embedding.points.tobytes()).hexdigest()
    content = scatter(
        embedding,
        groups,
        chosen,
        subject.hover(),
        clusters,
        plane=plane,
        title=title,
        alt=charts.describe_scatter(name, groups, int(chosen.sum()), bandwidth, space),
        bandwidth=bandwidth,
        palette=subject.palette,
    )
    show_scatter(content, sheet(plane, subject.every_picture))


def group(subject: Subject, grouping: Grouping, visible: Bool[np.ndarray, " p"], colour: str) -> list[charts.Group]:
    """Groups the visible points by colour.

    Args:
        subject: the class.
        grouping: clusters and their colours.
        visible: which points are shown.
        colour: *cluster* or *class*; anything else tells only training images from translated ones.

    Returns:
        Groups in the order of the legend.
    """
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


def _tell_what_if(
    grouping: Grouping, what_if: WhatIf, method: str | None, recorded: bool, back: Callable[[], None]
) -> None:
    """Says what differs from the scan, if anything does.

    Args:
        grouping: clusters as shown and as computed first.
        what_if: budget and method.
        method: the method if it is not the scan's.
        recorded: whether the scan found the clusters computed first.
        back: restores the scan's settings.
    """
    shown, first = grouping.shown, grouping.recorded
    other = [f"ε = {what_if.epsilon:g}"] if what_if.epsilon else []
    other += [METHODS[method]] if method else []
    found = "" if other or not recorded else f" The scan found {first.count} at {first.bandwidth:.4g}."
    other += [f"bandwidth {shown.bandwidth:.4g}"] if grouping.what_if else []
    if not other:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="inspect-what-if"):
        st.badge("What if", icon=":material/science:", color="yellow")
        st.markdown(
            f"With {', '.join(other)}: {count_of(shown.count, 'cluster')}.{found} The recorded verdict stays.",
            width="stretch",
        )
        st.button("Reset", key=state.RESET, icon=":material/undo:", on_click=back)
