"""Everything of one class that changes with clicks and sliders, redrawn without the rest of the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from jaxtyping import Bool
from streamlit.delta_generator import DeltaGenerator

from aegis.core.text import count_of
from aegis.core.types import Dataset, Embedding, Finding
from aegis.records.config import ScanConfig
from aegis.records.record import config_of
from aegis.records.wording import METHODS
from aegis.ui.components.palette import palette
from aegis.ui.inspect import state
from aegis.ui.inspect.budget import Grouping, choose_bandwidth, choose_budget, found_trigger, opening_of, say_opening
from aegis.ui.inspect.change_space import in_change_space, likeness
from aegis.ui.inspect.choice import Choice
from aegis.ui.inspect.controls import choose_space, choose_view
from aegis.ui.inspect.details import show_details
from aegis.ui.inspect.plane import show_plane
from aegis.ui.inspect.subject import Subject
from aegis.ui.inspect.view import View, apply_pick, pack
from aegis.ui.inspect.what_if import find_what_if_of, show_computing, what_if_of, with_what_if
from aegis.ui.session import WhatIf, computed_budgets

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
# With more than a style, since Streamlit keeps what is a style alone elsewhere, where a fragment does not take it back.
_DIMMED = """<style>
:is(.st-key-inspect-view, .st-key-inspect-below) { opacity: .35; pointer-events: none; }
</style><span></span>"""


@dataclass(frozen=True)
class Places:
    """Where parts of a view go, from top to bottom.

    Args:
        bandwidth: the slider.
        above: what comes and goes.
        view: scatter and gallery.
        about: what is said of the class at this budget.
        details: of what is selected.
    """

    bandwidth: DeltaGenerator
    above: DeltaGenerator
    view: DeltaGenerator
    about: DeltaGenerator
    details: DeltaGenerator


@st.fragment
def explore(choice: Choice, scanned: Finding, data: Dataset | None, config: ScanConfig) -> None:
    """Shows everything that changes with clicks and sliders.

    Args:
        choice: the class.
        scanned: finding of the scan.
        data: the scan's images, or None where they are no longer to be had.
        config: the scan's settings.
    """
    state.keep_choices()
    opening = opening_of(choice, scanned, data)
    with st.container(horizontal=True, gap="medium", key="inspect-controls"):
        with st.container(width=SLIDER):
            epsilon = choose_budget(scanned, opening.budget, computed_budgets(choice.key, scanned.label))
        bandwidth_place = st.container(width=SLIDER)
        space = choose_space(has_seeds=data is not None)
        method, colour = choose_view(config.embed.method, has_seeds=data is not None)
    changes = space == "change"
    # One place for what comes and goes, since what follows would be made anew if its own place changed.
    above, scattered, below = st.container(), st.container(key="inspect-view"), st.container(key="inspect-below")
    with below:
        about = st.container(horizontal=True, vertical_alignment="center", gap="medium")
        with about:
            # There are no changes of training images to leave out.
            alone = not changes and st.toggle("Translated only", key=state.ALONE, help=ALONE_HELP)
            say_opening(opening, epsilon)
        places = Places(bandwidth_place, above, scattered, about, st.container())
    changed = None if method == config.embed.method else method
    view = View(
        scan=choice.key, label=scanned.label, budget=epsilon, method=changed, space=space, alone=alone, colour=colour
    )
    # Changes need the translated images alone, whatever features are drawn by.
    what_if = what_if_of(choice, scanned, epsilon, config.embed.method if changes else method)
    finding = find_what_if_of(choice, scanned, what_if)
    back = epsilon if what_if.epsilon is None else opening.budget
    if finding is None:
        with above:
            show_computing(choice, data, what_if, back)
        state.write_address(view)
        _show_earlier(choice, scanned, data, view, opening.budget, places)
        return
    state.note_shown(scanned.label, choice.key, epsilon, method)
    state.write_address(_show_view(choice, finding, data, view, what_if, back, places))


def _show_earlier(
    choice: Choice, scanned: Finding, data: Dataset | None, view: View, opening: float, places: Places
) -> None:
    """Shows what was shown last, dimmed, for as long as the wanted view is not there."""
    method, shown = config_of(choice.record).embed.method, state.last_shown(scanned.label, choice.key)
    if shown is None:
        return
    epsilon, drawn = shown
    what_if = what_if_of(choice, scanned, epsilon, method if view.space == "change" else drawn)
    finding = find_what_if_of(choice, scanned, what_if)
    if finding is None:
        return
    with places.above:
        st.html(_DIMMED)
        st.caption(f"Below, dimmed: ε = {epsilon:g}, {METHODS[drawn]}.")
    view = replace(view, budget=epsilon, method=None if drawn == method else drawn)
    _show_view(choice, finding, data, view, what_if, epsilon if what_if.epsilon is None else opening, places)


def _show_view(
    choice: Choice, finding: Finding, data: Dataset | None, view: View, what_if: WhatIf, back: float, places: Places
) -> View:
    """Shows scatter and gallery.

    Args:
        choice: the class.
        finding: of the class, with the view's settings.
        data: the scan's images, or None where they are no longer to be had.
        view: what is shown, apart from bandwidth, kind of pictures and selection.
        what_if: the settings that the finding was looked up with.
        back: the budget of the scan to go back to.
        places: where the parts above go.

    Returns:
        The whole view.
    """
    config = config_of(choice.record)
    changes, method = view.space == "change", view.method or config.embed.method
    assert view.budget is not None
    budget = finding.evidence.budgets.index(view.budget)
    if changes and data is not None:
        with places.about:
            finding, budget = _show_changes(choice, finding, data, budget, what_if, method), 0
    with places.bandwidth:
        grouping, key = choose_bandwidth(choice, finding, budget, view.alone, config, f"{view.space} {method}")
    back_to = state.reset(key, grouping.recorded.bandwidth, back, config.embed.method)
    with places.above:
        _tell_what_if(grouping, replace(what_if, method=method), view.method, recorded=not changes, back=back_to)
    selected = _select(finding.embeddings[budget], grouping, view.alone)
    colours = palette(st.context.theme.type)
    subject = Subject(choice.key, choice.record, finding, data, config, budget, selected, grouping.shown, colours)
    with places.view:
        show = show_plane(subject, grouping, view.alone, view.colour)
    with places.details:
        show_details(subject)
    bandwidth = grouping.shown.bandwidth if grouping.what_if else None
    return replace(view, bandwidth=bandwidth, show=show, selection=pack(selected))


def _show_changes(
    choice: Choice, finding: Finding, data: Dataset, budget: int, what_if: WhatIf, method: str
) -> Finding:
    """Says how alike the changes are; the finding at this budget alone, in the space of changes."""
    trigger = found_trigger(choice, finding)
    is_patch = trigger is not None and trigger.family == "patch"
    said = likeness(choice.record, finding, data, budget).say(is_patch)
    st.markdown(said, help=LIKENESS_HELP, width="content")
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
