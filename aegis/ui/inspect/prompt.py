"""The prompt shown where no scan has computed the chosen settings: cost, button and progress."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from aegis.core.text import label_with_name, printable
from aegis.core.types import Dataset, Finding
from aegis.records.record import config_of
from aegis.records.wording import METHODS
from aegis.ui.components.live import EVERY, offer_cancel, show_classes_running
from aegis.ui.components.widgets import complain
from aegis.ui.inspect import state
from aegis.ui.inspect.choice import Choice
from aegis.ui.scans import find_finding, find_suspect
from aegis.ui.session import find_what_if, server_state, start_what_if
from aegis.ui.suspects import suspects_folder
from aegis.ui.watch import Watch
from aegis.ui.what_if import WhatIf, WhatIfJob, run, with_what_if

if TYPE_CHECKING:
    from aegis.models.load import Suspect


def find_what_if_of(choice: Choice, scanned: Finding, what_if: WhatIf) -> Finding | None:
    """Find the class with the chosen budget and method, as scanned or as computed by a job.

    Args:
        choice: the class.
        scanned: finding of the scan.
        what_if: the chosen settings.

    Returns:
        The finding; None if it was not computed yet.
    """
    if what_if.epsilon is None and what_if.method == _method(choice):
        return scanned
    return find_finding(with_what_if(choice.record, what_if), what_if.label)


def prompt_what_if(choice: Choice, data: Dataset | None, what_if: WhatIf, back: float) -> None:
    """Show what the computation costs with a button, or its progress.

    Args:
        choice: the class.
        data: the scan's images, or None where they are no longer to be had.
        what_if: settings that nothing was computed with yet.
        back: the budget of the scan to go back to.
    """
    job = find_what_if(what_if)
    if job is not None and not job.over:
        _live(what_if)
        return
    with st.container(border=True, key="inspect-offer"):
        st.markdown(f"**{_what(what_if)} was not part of the scan.**")
        look = _prepare(choice, data, what_if)
        if look is not None:
            doing, span = "drawn in the plane", "seconds"
            if what_if.epsilon is not None:
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
                    on_click=start_what_if,
                    args=(what_if, lambda report, watch: run(look, report, watch), _title(choice)),
                )
            st.button("Back", icon=":material/undo:", on_click=state.go_back, args=(back, _method(choice)))
    if job is not None and job.state == "failed":
        complain(job.message, "Failed")


def _what(what_if: WhatIf) -> str:
    method = METHODS.get(what_if.method, what_if.method)
    return method if what_if.epsilon is None else f"ε = {what_if.epsilon:g}"


def _method(choice: Choice) -> str:
    method: str = config_of(choice.record).embed.method
    return method


def _title(choice: Choice) -> str:
    return f"Class {label_with_name(choice.entry.label, printable(choice.entry.name, 40))}"


def _prepare(choice: Choice, data: Dataset | None, what_if: WhatIf) -> WhatIfJob | None:
    """The look, or None after saying what is missing for it."""
    record = with_what_if(choice.record, what_if)
    if what_if.epsilon is None:
        return WhatIfJob(record=record, what_if=what_if)
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
    return WhatIfJob(record=record, what_if=what_if, images=data, path=path, suspect=suspect)


def _suspect(choice: Choice) -> tuple[Suspect | None, Path | None]:
    uploads = server_state().upload_cache.uploads.get(choice.key)
    if uploads is not None and uploads.suspect is not None:
        return uploads.suspect, None
    return None, find_suspect(choice.record.model.sha256)


@st.fragment(run_every=EVERY)
def _live(what_if: WhatIf) -> None:
    job = find_what_if(what_if)
    if job is None or job.over:
        st.rerun()
    assert job is not None
    assert isinstance(job.watch, Watch)
    view = job.watch.view()
    with st.container(border=True, key="inspect-look-live"):
        bar, stop = st.columns([5, 1], vertical_alignment="center")
        waiting = job.state == "queued"
        with bar:
            words = "Queued behind another look" if waiting else f"{_what(what_if)}: {view.saying.lower()}"
            st.progress(min(1.0, view.whole), text=words)
        offer_cancel(stop, job, server_state().looks, "inspect-look-cancel")
        show_classes_running(view)
