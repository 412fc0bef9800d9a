"""Searches for a trigger from the selection with the suspect itself, and shows the search as it runs."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from aegis.core.errors import AegisError
from aegis.core.runtime import Report, numpy_generator
from aegis.core.text import numbered
from aegis.core.types import CandidateTrigger
from aegis.detect.selection import search_selection
from aegis.records.config import TriggerSearchConfig
from aegis.ui.components.widgets import complain
from aegis.ui.inspect.look import show_look
from aegis.ui.inspect.subject import Subject
from aegis.ui.inspect.trial_result import show_result
from aegis.ui.inspect.view import pack
from aegis.ui.scans import Model, find_model, identity
from aegis.ui.session import find_look, start_look
from aegis.ui.suspects import suspects_folder
from aegis.ui.watch import Watch

BUTTON = "inspect-test"
HELP = (
    "Starts the scan's search from what translation changed in the selected images: once for a patch, once for a small "
    "change of every pixel. What it finds is put on test images of the other classes that no search saw, and the "
    "suspect says what it sees."
)
USUAL_AREA = 0.06


@dataclass(frozen=True)
class Trial:
    """A search from one selection.

    Args:
        scan: identity of its record.
        label: the class.
        budget: whose translated images are meant, an L2 radius.
        rows: the selection.
    """

    scan: str
    label: int
    budget: float
    rows: str


def show_trial(subject: Subject) -> None:
    """Shows the button, and the search from the selection that is shown: as it runs, or what it found."""
    # Rows count from the first training image, of which some spaces have none.
    rows = f"{subject.training_count} {pack(subject.rows)}"
    trial = Trial(identity(subject.record), subject.finding.label, subject.embedding.budget, rows)
    pressed = st.button(
        "Search for its trigger", key=BUTTON, icon=":material/bolt:", help=HELP, disabled=subject.data is None
    )
    if subject.data is None:
        st.caption("The scan's images are not at hand, so nothing can be tried on them.")
        return
    if pressed:
        _start(trial, subject)
    job = find_look(trial)
    if job is None or job.state == "cancelled":
        return
    if not job.over:
        show_look(trial, "From the selection", "inspect-trial")
    elif job.state == "failed":
        complain(job.message, "Failed")
    elif job.result is not None:
        show_result(subject, job.result, search_config(subject))


def _start(trial: Trial, subject: Subject) -> None:
    """Starts the search, or says why there is none."""
    known = find_look(trial)
    if known is not None and known.state in ("queued", "running", "done"):
        return
    try:
        model = find_model(subject.key, subject.record)
    except AegisError as error:
        complain(str(error), "Not possible")
        return
    if model is None:
        complain(
            "The suspect itself is not at hand, and nothing can be tried without it. Put the file with SHA-256 "
            f"{subject.record.model.sha256} into {suspects_folder()}.",
            "Not possible",
        )
        return
    title = f"Trigger of {numbered(subject.finding.label, subject.name, 40)}"
    start_look(trial, lambda report, watch: _search(model, subject, report, watch), title)


def search_config(subject: Subject) -> TriggerSearchConfig:
    """Chooses the settings of the search: those of the scan, or the default ones scaled to the model."""
    config = subject.config.gather.trigger_search or TriggerSearchConfig()
    measured = subject.record.model
    # Scans of earlier versions did not measure how far universal changes go.
    return config.scaled(measured.universal_areas or (USUAL_AREA,), measured.universal_radii or (measured.half_radius,))


def _search(model: Model, subject: Subject, report: Report, watch: Watch) -> tuple[CandidateTrigger, ...]:
    data, evidence, label = subject.data, subject.finding.evidence, subject.finding.label
    assert data is not None
    watch.know(subject.record.data.class_names, (label,), tries=True)
    watch.say("Searching for a trigger")
    with model.lock:
        return search_selection(
            model.classifier,
            data.train.pixels[evidence.seed_index],
            data.train.labels[evidence.seed_index],
            evidence.translated[subject.budget],
            subject.members,
            data.test,
            label,
            search_config(subject),
            numpy_generator(subject.config.gather.seed, label),
            report,
        )
