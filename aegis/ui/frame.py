"""The frame of every page: title, width, sign-in and navigation."""

from __future__ import annotations

import streamlit as st

from aegis.ui.components.widgets import HISTORY, HOME, INSPECT, LOGO, SCAN
from aegis.ui.sign_in import admit, show_user

PAGES = (
    (HOME, "Home", ":material/home:"),
    (SCAN, "Scan", ":material/radar:"),
    (INSPECT, "Inspect class", ":material/search:"),
    (HISTORY, "History", ":material/history:"),
)
# As narrow as Streamlit allows: charts need the room.
SIDEBAR = 200

_STYLE = """<style>
[data-testid="stMainBlockContainer"] { max-width: 76rem; padding: 4rem 2.5rem 3rem; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 4rem 1rem 3rem; } }
[data-testid="stMainBlockContainer"] p { text-wrap-style: pretty; }
[class*="st-key-card-"] [data-testid="stText"] { overflow-wrap: anywhere; }
[class*="st-key-card-"] a p { color: light-dark(#0b62a8, #5ab4f0); font-weight: 600; }
[class*="st-key-card-"] [data-testid="stCaptionContainer"] { margin: 0; line-height: 1.25; }
[class*="st-key-card-"] [data-testid="stCaptionContainer"] p { margin: 0; }
/* White on the dark theme's light blue would be hard to read. */
[data-testid="stBaseButton-primary"],
[data-testid="stMultiSelect"] [data-baseweb="tag"] { color: light-dark(#fff, #0f1722); }
</style>"""


def frame(title: str) -> None:
    """Open a page; where signing in is needed and nobody is signed in, the page ends here."""
    st.set_page_config(page_title=title, page_icon=str(LOGO), layout="wide", initial_sidebar_state=SIDEBAR)
    st.html(_STYLE)
    admit()
    for page, name, icon in PAGES:
        st.sidebar.page_link(page, label=name, icon=icon)
    show_user()
