"""Inspect Class: the parts of the page in order, and messages where one is missing."""

from __future__ import annotations

import streamlit as st

from aegis.core.errors import AegisError
from aegis.records.record import config_of
from aegis.ui.inspect.choice import Choice, choose, show_reason, show_verdict
from aegis.ui.inspect.explore import explore
from aegis.ui.inspect.state import follow_address, write_address
from aegis.ui.inspect.view import View
from aegis.ui.scans import find_finding
from aegis.ui.session import find_images

_STYLE = """<style>
[data-testid="stMainBlockContainer"] { max-width: 88rem; padding: 3.5rem 2rem 2rem; }
[data-testid="stMainBlockContainer"] [data-testid="stImage"] img { image-rendering: pixelated; }
[class*="st-key-inspect-"] [data-testid="stText"] { overflow-wrap: anywhere; }
/* The page's own wrapping of paragraphs would break the number on a slider's thumb into digits. */
[data-testid="stSlider"] p { text-wrap-mode: nowrap; }
.st-key-inspect-epsilon [data-testid="stSliderTickBar"] { display: none; }
/* A picture of the points, until the browser has loaded what draws the chart. */
.st-key-inspect-plane { position: relative; }
.aegis-until { position: absolute; top: 44px; pointer-events: none; }
.st-key-inspect-plane:has(.js-plotly-plot .point) .aegis-until { visibility: hidden; }
.aegis-mark { position: relative; height: 1rem; margin: -1.25rem 0.5rem 0; font-size: 0.75rem; opacity: 0.8; }
.aegis-mark span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.aegis-mark i { display: block; width: 0; height: 0; margin: 0 auto; border: 4px solid transparent;
  border-bottom-color: currentColor; border-top: 0; }
</style>"""


def show() -> None:
    """Show the page below its frame."""
    st.html(_STYLE)
    title = st.container(horizontal=True, vertical_alignment="center")
    title.header("Inspect class", anchor=False, width="content")
    try:
        follow_address()
        choice = choose()
        if choice is not None:
            with title:
                show_verdict(choice)
            show_reason(choice)
            _show_class(choice)
    except AegisError as error:
        with st.container(border=True, key="inspect-problem"):
            st.text(str(error))


def _show_class(choice: Choice) -> None:
    config = config_of(choice.record)
    finding = find_finding(choice.record, choice.entry.label)
    if finding is None:
        write_address(View(scan=choice.key, label=choice.entry.label))
        with st.container(border=True, key="inspect-problem"):
            st.markdown(
                "**The evidence of this class is no longer stored,** or another version of AEGIS wrote it. Scan this "
                "suspect again; its classes can then be inspected here."
            )
        return
    data = find_images(choice.key, choice.record)
    if data is None:
        st.info(
            "The images of this scan are not at hand, or have changed since: seeds, differences, training images and "
            "the trigger test are left out.",
            icon=":material/image_not_supported:",
        )
    explore(choice, finding, data, config)
