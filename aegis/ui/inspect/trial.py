"""Searches for a trigger from the selection and tries it on held-out images, with the suspect itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from aegis.core.errors import AegisError
from aegis.core.runtime import numpy_generator
from aegis.core.text import numbered, printable
from aegis.core.types import CandidateTrigger, as_8_bit
from aegis.detect.selection import try_selection
from aegis.records.config import TriggerSearchConfig
from aegis.records.pictures import as_rgb
from aegis.records.ranking import candidate_of, strongest_candidate
from aegis.ui.components import charts
from aegis.ui.components.pictures import montage
from aegis.ui.inspect.subject import Subject
from aegis.ui.inspect.view import pack
from aegis.ui.scans import find_model, identity
from aegis.ui.suspects import suspects_folder

BUTTON = "inspect-test"
_TRIED = "inspect-state-tried"
HELP = (
    "Takes the mean change of the selected translated images as a trigger: once as a patch of the pixels that changed "
    "most, once as a small change of every pixel. Both are put on test images of the other classes that the scan "
    "searched nothing on, and the suspect says what it sees."
)
EXAMPLES = 8
USUAL_AREA = 0.06
# A rate that is lower by so much is explained, and what the scan's trigger is called in the chart.
WEAKER, FOUND = 0.1, "the scan's own"


@dataclass(frozen=True)
class SelectionTrial:
    """The outcome of a search for triggers from the selection.

    Args:
        triggers: the candidates found.
        problem: why the search failed, instead of candidates.
    """

    triggers: tuple[CandidateTrigger, ...] = ()
    problem: str = ""


def show_trial(subject: Subject) -> None:
    """Shows the button, and the result for the selection that is shown."""
    known = (identity(subject.record), subject.finding.label, subject.embedding.budget, _rows_of(subject))
    pressed = st.button(
        "Test this selection's trigger", key=BUTTON, icon=":material/bolt:", help=HELP, disabled=subject.data is None
    )
    if subject.data is None:
        st.caption("The scan's images are not at hand, so nothing can be tried on them.")
        return
    if pressed:
        st.session_state[_TRIED] = known
    if st.session_state.get(_TRIED) != known:
        return
    with st.spinner("Trying it on held-out images"):
        trial = _try(subject, known)
    if trial.problem:
        with st.container(border=True, key="inspect-problem"):
            st.text(trial.problem)
        return
    _show(subject, trial.triggers)


def _rows_of(subject: Subject) -> str:
    # Rows count from the first training image, of which some spaces have none.
    return f"{subject.training_count} {pack(subject.rows)}"


def _search_config(subject: Subject) -> TriggerSearchConfig:
    """Chooses the settings of the search: those of the scan, or the default ones scaled to the model."""
    config = subject.config.gather.trigger_search or TriggerSearchConfig()
    measured = subject.record.model
    # Scans of earlier versions did not measure how far universal changes go.
    return config.scaled(measured.universal_areas or (USUAL_AREA,), measured.universal_radii or (measured.half_radius,))


def _try(subject: Subject, known: tuple[str, int, float, str]) -> SelectionTrial:
    try:
        model = find_model(subject.key, subject.record)
    except AegisError as error:
        return SelectionTrial(problem=str(error))
    if model is None:
        return SelectionTrial(
            problem="The suspect itself is not at hand, and nothing can be tried without it. Put the file with SHA-256 "
            f"{subject.record.model.sha256} into {suspects_folder()}."
        )
    return SelectionTrial(_tried(known, subject))


@st.cache_data(max_entries=64, show_spinner=False)
def _tried(known: tuple[str, int, float, str], _subject: Subject) -> tuple[CandidateTrigger, ...]:
    model = find_model(_subject.key, _subject.record)
    assert model is not None
    assert _subject.data is not None
    assert _subject.seeds is not None
    label = _subject.finding.label
    with model.lock:
        return try_selection(
            model.classifier,
            _subject.seeds,
            _subject.moved,
            _subject.data.test,
            label,
            _search_config(_subject),
            numpy_generator(_subject.config.gather.seed, label),
        )


def _show(subject: Subject, triggers: tuple[CandidateTrigger, ...]) -> None:
    names = subject.record.data.class_names
    sources = [k for k in range(len(names)) if k != subject.finding.label]
    scanned = _scanned(subject)
    compared = [*triggers, *([] if scanned is None else [scanned])]
    rates: dict[str, Sequence[float]] = {
        FOUND if t is scanned else t.family: [float(t.flip_rates[k]) for k in sources] for t in compared
    }
    if scanned is not None:
        _compare(max(t.flip_rate for t in triggers), scanned.flip_rate)
    named = [numbered(k, names[k], 24) for k in sources]
    images = int(triggers[0].counts.sum())
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.plotly_chart(
            charts.bars(named, rates, "Attack success rate by source class", subject.palette),
            key="inspect-bars",
            theme=None,
            config={"displayModeBar": False},
            alt=charts.describe_bars([printable(name, 24) for name in named], rates),
        )
    with right:
        for candidate in triggers:
            what = "patch" if candidate.family == "patch" else "small change everywhere"
            pixels = f" of {int(candidate.stamp.touched.sum())} pixels" if candidate.family == "patch" else ""
            said = (
                f"**As a {what}{pixels}:** turns {candidate.flip_rate:.0%} of {images} held-out images into the class"
            )
            _show_stamp(subject, candidate, said, what)
        if scanned is not None:
            said = f"**The scan's own trigger:** turns {scanned.flip_rate:.0%} of its held-out images"
            _show_stamp(subject, scanned, said, "scan's own trigger")


def _scanned(subject: Subject) -> CandidateTrigger | None:
    """The trigger that the scan found, which the selection's is compared with."""
    entry = next(one for one in subject.record.classes if one.label == subject.finding.label)
    found = candidate_of(entry, subject.finding)
    recorded = entry.triggers[strongest_candidate(entry) or 0].flip_rate if entry.triggers else None
    # With another budget other triggers, or none, were searched for.
    return found if found is not None and found.flip_rate == recorded else None


def _compare(mine: float, scanned: float) -> None:
    if scanned - mine < WEAKER:
        return
    st.info(
        f"The verdict rests on the scan's own trigger, which turns {scanned:.0%}. This test takes the mean of the "
        "selected changes: where each image carries the mark at another place, little of it is left in their mean. "
        "A low rate here is no sign of a false alarm.",
        icon=":material/info:",
    )


def _show_stamp(subject: Subject, candidate: CandidateTrigger, said: str, what: str) -> None:
    assert subject.data is not None
    st.markdown(said)
    others = subject.data.test.labels != subject.finding.label
    benign = subject.data.test.pixels[np.flatnonzero(others)[:: max(1, int(others.sum()) // EXAMPLES)][:EXAMPLES]]
    sheet = montage(as_rgb(as_8_bit(candidate.stamp(benign))), subject.palette)
    st.image(sheet, output_format="PNG", alt=f"{len(benign)} benign images with the {what} on them")
