"""Shows the triggers that a search from the selection found, beside the scan's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from aegis.core.text import count_of, numbered, printable
from aegis.core.types import CandidateTrigger, as_8_bit
from aegis.records.config import TriggerSearchConfig
from aegis.records.pictures import as_rgb
from aegis.records.ranking import candidate_of, strongest_candidate
from aegis.records.wording import capitalised
from aegis.ui.components import charts
from aegis.ui.components.pictures import montage
from aegis.ui.inspect.subject import Subject

EXAMPLES = 8
# A trigger that turns fewer images is no finding; and a rate that is lower than the scan's by so much is explained.
WORKS, WEAKER = 0.5, 0.1
FOUND = "the scan's own"


def show_result(subject: Subject, triggers: Sequence[CandidateTrigger], config: TriggerSearchConfig) -> None:
    """Shows the best trigger of each family: on images, and how often it succeeds by source class.

    Args:
        subject: the selection.
        triggers: that were found, the best of each family first.
        config: settings of the search.
    """
    best = list({one.family: one for one in reversed(triggers)}.values())[::-1]
    scanned = _scanned(subject)
    _sum_up(best, scanned, config)
    names = subject.record.data.class_names
    sources = [k for k in range(len(names)) if k != subject.finding.label]
    compared = [*best, *([] if scanned is None else [scanned])]
    rates: dict[str, Sequence[float]] = {
        FOUND if t is scanned else t.family: [float(t.flip_rates[k]) for k in sources] for t in compared
    }
    named = [numbered(k, names[k], 24) for k in sources]
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
        for candidate in best:
            _show_stamp(subject, candidate, "a patch" if candidate.family == "patch" else "a small change everywhere")
        if scanned is not None:
            _show_stamp(subject, scanned, "the scan's own trigger")


def _scanned(subject: Subject) -> CandidateTrigger | None:
    """The trigger that the scan found, which the selection's is compared with."""
    entry = next(one for one in subject.record.classes if one.label == subject.finding.label)
    found = candidate_of(entry, subject.finding)
    recorded = entry.triggers[strongest_candidate(entry) or 0].flip_rate if entry.triggers else None
    # With another budget other triggers, or none, were searched for.
    return found if found is not None and found.flip_rate == recorded else None


def _sum_up(best: Sequence[CandidateTrigger], scanned: CandidateTrigger | None, config: TriggerSearchConfig) -> None:
    """Says what was tried where little came of it, and what that means where the scan found more."""
    rate = max(one.flip_rate for one in best)
    weaker = scanned is not None and scanned.flip_rate - rate >= WEAKER
    if rate >= WORKS and not weaker:
        return
    starts = config.clusters
    assert config.area is not None
    said = (
        f"Tried from the means of up to {starts} groups of the selected changes, {config.steps + config.refine_steps} "
        f"steps each: a patch of {config.area:.1%} of the pixels and a change of L2 norm {config.radius:.3g}. The best "
        f"turns {rate:.0%} of the held-out images."
    )
    if scanned is not None and weaker:
        said += (
            f" The verdict rests on the scan's own trigger, which turns {scanned.flip_rate:.0%}; it also started from "
            "noise and from all other translated images. A low rate here is no sign of a false alarm."
        )
    st.info(said, icon=":material/info:")


def _show_stamp(subject: Subject, candidate: CandidateTrigger, what: str) -> None:
    assert subject.data is not None
    said = f"**{capitalised(what)}** turns {candidate.flip_rate:.0%} of {int(candidate.counts.sum())} held-out images"
    if candidate.smallest is not None and candidate.family != "perturbation":
        alone = count_of(int(candidate.smallest.touched.sum()), "pixel")
        said += f"; {alone} of it suffice for {candidate.smallest_rate:.0%}"
    st.markdown(f"{said}.")
    others = subject.data.test.labels != subject.finding.label
    benign = subject.data.test.pixels[np.flatnonzero(others)[:: max(1, int(others.sum()) // EXAMPLES)][:EXAMPLES]]
    sheet = montage(as_rgb(as_8_bit(candidate.shown(benign))), subject.palette)
    st.image(sheet, output_format="PNG", alt=f"{len(benign)} benign images with {what} on them")
