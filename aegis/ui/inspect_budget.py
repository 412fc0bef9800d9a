"""The epsilon slider: budgets that a scan kept are there at once, others are computed on request."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from aegis.detect.record import config_of
from aegis.models.card import printable
from aegis.types import Dataset, Finding
from aegis.ui import inspect_state as state
from aegis.ui.inspect_choice import Choice
from aegis.ui.inspect_look import Look, looking, take
from aegis.ui.scan_estimate import look_seconds, spoken
from aegis.ui.scan_live import EVERY, show_classes_running
from aegis.ui.scan_session import desk, find_look, start_look
from aegis.ui.scan_watch import Watch
from aegis.ui.scans import find_finding, find_suspect
from aegis.ui.suspects import suspects_folder
from aegis.ui.widgets import complain

# Round numbers, about as many steps apart at the small end, where attacks begin to work, as where pixels saturate.
OFFERED = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 70, 100, 140, 200, 300, 500, 700, 1000)
HELP = (
    "How far each image was changed on its way into the class: the L2 norm of the change, epsilon in the paper. Marked "
    "are the budgets of the scan, which are there at once; others are computed when you ask for them."
)


def choose_budget(finding: Finding) -> float:
    """The slider."""
    recorded = finding.evidence.budgets
    value = st.session_state.get(state.BUDGET)
    if not isinstance(value, float | int) or not OFFERED[0] <= value <= OFFERED[-1]:
        value = recorded_budget(finding)
    # A budget of the scan is the very number that was recorded.
    st.session_state[state.BUDGET] = float(value)
    options = sorted({float(one) for one in (*OFFERED, *recorded, value)})
    with st.container(key="inspect-epsilon"):
        chosen: float = st.select_slider(
            "Change allowed (ε)", options, format_func="{:g}".format, key=state.BUDGET, help=HELP
        )
        marks({options.index(budget) / (len(options) - 1): f"{budget:g}" for budget in recorded})
    return chosen


def recorded_budget(finding: Finding) -> float:
    """The scan's budget at which most clusters were found, the largest of these."""
    counts = [clusters.count for clusters in finding.clusters]
    best = max(range(len(counts)), key=lambda i: (counts[i], i))
    return finding.evidence.budgets[best]


def marks(at: Mapping[float, str]) -> None:
    """Words below the slider drawn last, each at its share of the way."""
    each = "".join(f'<span style="left: {share:.2%}"><i></i>{words}</span>' for share, words in at.items())
    st.html(f'<div class="aegis-mark">{each}</div>')


def find_budget(choice: Choice, finding: Finding, epsilon: float) -> Finding | None:
    """The class with this budget: as it was scanned, or from a look at it; None if nobody has looked yet."""
    if epsilon in finding.evidence.budgets:
        return finding
    return find_finding(looking(choice.record, epsilon), finding.label)


def offer_budget(choice: Choice, finding: Finding, data: Dataset | None, epsilon: float) -> None:
    """In place of a budget that nobody has looked at: what a look costs, or how far it is."""
    name = (choice.key, finding.label, epsilon)
    job = find_look(name)
    if job is not None and not job.over:
        _live(name)
        return
    back = recorded_budget(finding)
    with st.container(border=True, key="inspect-offer"):
        st.markdown(f"**ε = {epsilon:g} was not part of the scan.**")
        uploads = desk().shelf.uploads.get(choice.key)
        suspect = uploads.suspect if uploads else None
        path = None if suspect else find_suspect(choice.record.model.sha256)
        if data is None:
            st.markdown("It cannot be computed either, since the scan's images are not at hand.")
        elif suspect is None and path is None:
            st.text(
                "To compute it, the suspect itself has to be at hand: put the file with SHA-256 "
                f"{choice.record.model.sha256} into {suspects_folder()}."
            )
        else:
            look = Look(
                record=looking(choice.record, epsilon), label=finding.label, images=data, path=path, suspect=suspect
            )
            _say_cost(look)
            with st.container(horizontal=True):
                st.button(
                    "Translate to it",
                    key="inspect-look",
                    type="primary",
                    icon=":material/play_arrow:",
                    on_click=start_look,
                    args=(name, lambda report, watch: take(look, report, watch), _title(choice)),
                )
                st.button(f"Back to ε = {back:g}", icon=":material/undo:", on_click=state.set_budget, args=(back,))
    if job is not None and job.state == "failed":
        complain(job.message, "Failed")


def _title(choice: Choice) -> str:
    return f"Class {choice.entry.label} ({printable(choice.entry.name, 40)})"


def _say_cost(look: Look) -> None:
    config = config_of(look.record)
    own = int((look.images.train.labels == look.label).sum())
    span = spoken(look_seconds(look.record, config, own))
    st.markdown(
        f"Its {config.gather.seeds} images are translated anew and drawn in the plane: {span}. The recorded verdict "
        "stays, and what is computed is kept."
    )


@st.fragment(run_every=EVERY)
def _live(name: tuple[str, int, float]) -> None:
    job = find_look(name)
    if job is None or job.over:
        st.rerun()
    assert job is not None
    assert isinstance(job.watch, Watch)
    view = job.watch.view()
    with st.container(border=True, key="inspect-look-live"):
        bar, stop = st.columns([5, 1], vertical_alignment="center")
        waiting = job.state == "queued"
        with bar:
            words = "Queued behind another look" if waiting else f"ε = {name[2]:g}: {view.saying.lower()}"
            st.progress(min(1.0, view.whole), text=words)
        if stop.button("Cancel", icon=":material/stop_circle:", key="inspect-look-cancel", width="stretch"):
            desk().looks.cancel(job)
            st.rerun()
        show_classes_running(view)
