"""What several pages show. Text that comes from files goes through ``st.text`` alone, which parses nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aegis.models.card import Identity, printable
from aegis.ui.suspects import ROOT, ListedSuspect, examine

LOGO = ROOT / "assets" / "logo.svg"
HOME, SCAN, INSPECT = "app.py", "pages/1_Scan.py", "pages/2_Inspect_Class.py"
PAGES = (
    (HOME, "Home", ":material/home:"),
    (SCAN, "Scan", ":material/radar:"),
    (INSPECT, "Inspect class", ":material/search:"),
)
# As narrow as Streamlit allows: charts need the room.
SIDEBAR = 200
CLASSES_SHOWN = 12
FIELDS = {"--data": "“Images”", "--arch": "“Architecture”", "--classes": "“Classes”"}

# Streamlit has no heading that takes text as it is, hence the title of a card by its container's key.
_STYLE = """<style>
[data-testid="stMainBlockContainer"] { max-width: 76rem; padding: 4rem 2.5rem 3rem; }
@media (max-width: 640px) { [data-testid="stMainBlockContainer"] { padding: 4rem 1rem 3rem; } }
[data-testid="stMainBlockContainer"] p { text-wrap-style: pretty; }
[class*="st-key-card-"] [data-testid="stText"] { overflow-wrap: anywhere; }
[class*="st-key-title-"] [data-testid="stText"] { font-size: 1.125rem; font-weight: 600; }
[class*="st-key-card-"] [data-testid="stCaptionContainer"] { margin: 0; line-height: 1.25; }
[class*="st-key-card-"] [data-testid="stCaptionContainer"] p { margin: 0; }
/* White on the dark theme's light blue would be hard to read. */
[data-testid="stBaseButton-primary"],
[data-testid="stMultiSelect"] [data-baseweb="tag"] { color: light-dark(#fff, #0f1722); }
[class*="st-key-scan-"] a { border: 1px solid color-mix(in srgb, currentColor 30%, transparent); padding: .4rem 1rem; }
</style>"""


def frame(title: str) -> None:
    """What every page opens with: browser title, logo, width, the way to other pages; the page's first call."""
    st.set_page_config(page_title=title, page_icon=str(LOGO), layout="wide", initial_sidebar_state=SIDEBAR)
    st.html(_STYLE)
    for page, name, icon in PAGES:
        st.sidebar.page_link(page, label=name, icon=icon)


def suspect_card(path: Path, position: int) -> None:
    """One checkpoint: what its card says, its digest, and the command that scans it.

    Args:
        path: the checkpoint.
        position: where it stands on the page, for its key.
    """
    suspect = examined(path)
    with st.container(border=True, height="stretch", key=f"card-{position}"):
        with st.container(gap=None, key=f"title-{position}"):
            st.text(printable(path.name, 120))
        if suspect.problem:
            st.badge("Cannot be read", icon=":material/error:", color="red")
            st.text(suspect.problem)
            return
        if suspect.identity is None:
            st.badge("No card", icon=":material/help:", color="gray")
            st.text("It does not say what it is: name its architecture and data, as the help of aegis scan tells.")
        else:
            show_identity(suspect.identity)
        with facts():
            fact("Size", f"{suspect.size / 1e6:.2f} MB")
            fact("SHA-256", f"{suspect.sha256[:16]}…", tip=suspect.sha256)
        if suspect.identity is not None:
            st.code(suspect.command, language="bash", wrap_lines=True)
        with st.container(key=f"scan-{position}"):
            st.page_link(SCAN, label="Scan", icon=":material/radar:", query_params={"suspect": path.name})


def examined(path: Path) -> ListedSuspect:
    """What a checkpoint says about itself, read again whenever the file changes."""
    return _examine(path, _state(path))


def complain(text: str, title: str) -> None:
    """What is wrong, as it is: it may quote a file. Options of the command line go by their names on the pages."""
    for option, name in FIELDS.items():
        text = text.replace(option, name)
    with st.container(border=True, key=f"card-{hashlib.sha256(f'{title}{text}'.encode()).hexdigest()[:12]}"):
        st.badge(title, icon=":material/error:", color="red")
        st.text(text)


@st.cache_data(max_entries=256, show_spinner=False)
def _examine(path: Path, state: tuple[int, ...]) -> ListedSuspect:
    return examine(path)


def _state(path: Path) -> tuple[int, ...]:
    """What changes whenever a file's content or permissions do; empty if there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return ()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def show_identity(identity: Identity) -> None:
    """What a model says it is."""
    c, h, w = identity.shape
    if identity.name is not None:
        st.text(identity.name)
    with facts():
        fact("Architecture", identity.architecture)
        fact("Data", identity.data or "not said")
        fact("Images", f"{h} × {w}, {'grey' if c == 1 else 'colour' if c == 3 else f'{c} channels'}")
    shown, total = identity.class_names[:CLASSES_SHOWN], len(identity.class_names)
    more = f" and {total - len(shown):,} more" if total > len(shown) else ""
    fact(f"{total:,} classes", ", ".join(printable(name, 40) for name in shown) + more)


def facts() -> DeltaGenerator:
    """A row that facts are written into."""
    return st.container(horizontal=True, gap="medium")


def fact(label: str, value: str, tip: str | None = None) -> None:
    """A value, as it is, under its label."""
    with st.container(width="content", gap=None):
        st.caption(label)
        st.text(value, help=tip)
