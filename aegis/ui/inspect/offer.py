"""In place of what no scan computed: what a look costs, or how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from aegis.core.text import printable
from aegis.core.types import Dataset, Finding
from aegis.records.record import config_of
from aegis.records.wording import METHODS
from aegis.ui.components.live import EVERY, offer_cancel, show_classes_running
from aegis.ui.components.widgets import complain
from aegis.ui.inspect import state
from aegis.ui.inspect.choice import Choice
from aegis.ui.scans import find_finding, find_suspect
from aegis.ui.session import desk, find_look, start_look
from aegis.ui.suspects import suspects_folder
from aegis.ui.watch import Watch
from aegis.ui.what_if import Light, Look, in_light, take

if TYPE_CHECKING:
    from aegis.models.load import Suspect


def find_look_of(choice: Choice, scanned: Finding, light: Light) -> Finding | None:
    """The class in this light: as it was scanned, or from a look at it; None if nobody has looked yet."""
    if light.epsilon is None and light.method == _method(choice):
        return scanned
    return find_finding(in_light(choice.record, light), light.label)


def offer_look(choice: Choice, data: Dataset | None, light: Light, back: float) -> None:
    """What a look costs, with a button; or how far it is, once it was asked for.

    Args:
        choice: the class.
        data: the scan's images, or None where they are no longer to be had.
        light: in which nobody has looked yet.
        back: the budget of the scan to go back to.
    """
    job = find_look(light)
    if job is not None and not job.over:
        _live(light)
        return
    with st.container(border=True, key="inspect-offer"):
        st.markdown(f"**{_what(light)} was not part of the scan.**")
        look = _prepare(choice, data, light)
        if look is not None:
            doing, span = "drawn in the plane", "seconds"
            if light.epsilon is not None:
                doing, span = f"translated anew and {doing}", "seconds to minutes"
            st.markdown(
                f"Its {config_of(look.record).gather.seeds} images are {doing}: {span}. The recorded verdict stays, "
                "and what is computed is kept."
            )
        with st.container(horizontal=True):
            if look is not None:
                st.button(
                    "Compute it",
                    key="inspect-look",
                    type="primary",
                    icon=":material/play_arrow:",
                    on_click=start_look,
                    args=(light, lambda report, watch: take(look, report, watch), _title(choice)),
                )
            st.button("Back", icon=":material/undo:", on_click=state.go_back, args=(back, _method(choice)))
    if job is not None and job.state == "failed":
        complain(job.message, "Failed")


def _what(light: Light) -> str:
    method = METHODS.get(light.method, light.method)
    return method if light.epsilon is None else f"ε = {light.epsilon:g}"


def _method(choice: Choice) -> str:
    method: str = config_of(choice.record).embed.method
    return method


def _title(choice: Choice) -> str:
    return f"Class {choice.entry.label} ({printable(choice.entry.name, 40)})"


def _prepare(choice: Choice, data: Dataset | None, light: Light) -> Look | None:
    """The look, or None after saying what is missing for it."""
    record = in_light(choice.record, light)
    if light.epsilon is None:
        return Look(record=record, light=light)
    if data is None:
        st.markdown("It cannot be computed either, since the scan's images are not at hand.")
        return None
    suspect, path = _suspect(choice)
    if suspect is None and path is None:
        st.text(
            "To compute it, the suspect itself has to be at hand: put the file with SHA-256 "
            f"{record.model.sha256} into {suspects_folder()}."
        )
        return None
    return Look(record=record, light=light, images=data, path=path, suspect=suspect)


def _suspect(choice: Choice) -> tuple[Suspect | None, Path | None]:
    uploads = desk().shelf.uploads.get(choice.key)
    if uploads is not None and uploads.suspect is not None:
        return uploads.suspect, None
    return None, find_suspect(choice.record.model.sha256)


@st.fragment(run_every=EVERY)
def _live(light: Light) -> None:
    job = find_look(light)
    if job is None or job.over:
        st.rerun()
    assert job is not None
    assert isinstance(job.watch, Watch)
    view = job.watch.view()
    with st.container(border=True, key="inspect-look-live"):
        bar, stop = st.columns([5, 1], vertical_alignment="center")
        waiting = job.state == "queued"
        with bar:
            words = "Queued behind another look" if waiting else f"{_what(light)}: {view.saying.lower()}"
            st.progress(min(1.0, view.whole), text=words)
        offer_cancel(stop, job, desk().looks, "inspect-look-cancel")
        show_classes_running(view)
