"""The Inspect Class page: one class of a scan, why it was flagged, and its images."""

from __future__ import annotations

import streamlit as st

from aegis.core.errors import AegisError
from aegis.core.types import CandidateTrigger, Dataset
from aegis.records.record import config_of
from aegis.ui.components.evidence import show_trigger
from aegis.ui.components.widgets import reason_of
from aegis.ui.inspect import state
from aegis.ui.inspect.budget import found_trigger
from aegis.ui.inspect.choice import Choice, choose, show_verdict
from aegis.ui.inspect.explore import explore
from aegis.ui.inspect.view import View
from aegis.ui.scans import find_finding
from aegis.ui.session import look_for_images

_STYLE = """<style>
[data-testid="stMainBlockContainer"] { max-width: 88rem; padding: 3.5rem 2rem 2rem; }
[data-testid="stMainBlockContainer"] [data-testid="stImage"] img { image-rendering: pixelated; }
.st-key-inspect-trigger .aegis-trigger figure { flex: 0 1 4.5rem; min-width: 0; }
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
