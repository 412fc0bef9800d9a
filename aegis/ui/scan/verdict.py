"""The verdict card: one word, one class, one number, the trigger beside them, and what can be done about it."""

from __future__ import annotations

import streamlit as st

from aegis.core.text import printable
from aegis.core.types import CandidateTrigger, Dataset
from aegis.records.headline import headline, name_of
from aegis.records.ranking import ranked
from aegis.records.record import ClassRecord, ScanRecord
from aegis.records.review import Reviews, are_dismissed
from aegis.records.settings import preset_of, say_settings
from aegis.ui.components.evidence import show_trigger
from aegis.ui.components.widgets import INSPECT
from aegis.ui.scan.export import offer_report
from aegis.ui.scan.review import show_acts, show_reviews, show_status
from aegis.ui.session import when

FIRST_LOOK = ": a first look with fewer images, and no verdict that counts"
_STYLE = """<style>
[class*="st-key-verdict-word-"] [data-testid="stText"] { font-size: 1.75rem; line-height: 1.2; font-weight: 700; }
.st-key-verdict-word-infected [data-testid="stText"] * { color: light-dark(#c2470a, #f58a4b); }
.st-key-verdict-word-clean [data-testid="stText"] * { color: light-dark(#0b62a8, #5ab4f0); }
.st-key-verdict-word-inconclusive [data-testid="stText"] * { color: light-dark(#5a6878, #9fadbd); }
.st-key-verdict-number [data-testid="stText"] { font-size: 1.25rem; line-height: 1.4; font-weight: 600;
  text-wrap: pretty; }
.st-key-verdict [data-testid="stText"] { overflow-wrap: anywhere; }
.st-key-verdict-acts a { border-radius: .5rem; min-height: 2.5rem; padding: .25rem .75rem;
  background: light-dark(#0b62a8, #5ab4f0); }
.st-key-verdict-acts a:is(:hover, :focus-visible) { background: light-dark(#084c83, #8acbf5); }
.st-key-verdict-acts a :is(p, span) { color: light-dark(#fff, #0f1722); }
</style>"""


def show_card(
    key: str, record: ScanRecord, reviews: Reviews, trigger: CandidateTrigger | None, images: Dataset | None
) -> None:
    """Shows the card.

    Args:
        key: of the scan in the store.
        record: the scan.
        reviews: of the scan, the latest last.
        trigger: the strongest one, with its stamp; None where there is none or the store has lost it.
        images: of the scan, or None.
    """
    st.html(_STYLE)
    one = next(iter(ranked(record)), None)
    with st.container(border=True, key="verdict"):
        said, seen = st.columns([5, 6] if trigger is not None else [11, 1], gap="large", vertical_alignment="center")
        with said:
            _say(record, reviews)
        if one is not None and trigger is not None:
            with seen:
                show_trigger(record, one, trigger, images)
        with st.container(horizontal=True, vertical_alignment="center", key="verdict-acts"):
            if one is not None:
                _link_to_class(key, one)
            show_acts(key, record, reviews)
            offer_report(key, record, images, reviews)
    show_reviews(reviews)


def _say(record: ScanRecord, reviews: Reviews) -> None:
    flagged = [one for one in ranked(record) if one.flagged]
    more = f" and {len(flagged) - 1} more" if len(flagged) > 1 else ""
    into = f" → {name_of(flagged[0].label, flagged[0].name)}{more}" if flagged else ""
    # What was dismissed is no longer said in the colour of an alarm.
    light = "inconclusive" if are_dismissed(record, reviews) else record.verdict
    with st.container(key=f"verdict-word-{light}"):
        st.text(f"{record.verdict.capitalize()}{into}")
    show_status(record, reviews)
    with st.container(key="verdict-number"):
        st.text(printable(headline(record), 1000))
    first = FIRST_LOOK if preset_of(record) == "quick" else ""
    st.caption(f"Scanned {when(record.created)}, {say_settings(record)}{first}")


def _link_to_class(key: str, one: ClassRecord) -> None:
    target = {"scan": key, "class": str(one.label)}
    st.page_link(INSPECT, label="Inspect", icon=":material/search:", query_params=target)
