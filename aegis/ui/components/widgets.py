"""Small parts of several pages. Text from files is shown by ``st.text`` alone, which parses nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aegis.core.text import printable
from aegis.models.card import Identity
from aegis.records.record import ClassRecord
from aegis.ui.suspects import ROOT, ListedSuspect, examine

LOGO = ROOT / "assets" / "logo.svg"
HOME, SCAN, INSPECT, HISTORY = "app.py", "pages/1_Scan.py", "pages/2_Inspect_Class.py", "pages/3_History.py"
# Not in the navigation: it is reached from the list with two scans.
COMPARE = "pages/4_Compare.py"
CLASSES_SHOWN = 12
# Characters of a reason.
REASON = 400
FIELDS = {"--data": "“Images”", "--arch": "“Architecture”", "--classes": "“Classes”"}


def reason_of(one: ClassRecord) -> str:
    """Say why a class was flagged or not.

    Args:
        one: the class.

    Returns:
        Sentences.
    """
    reason = printable(one.reason, REASON)
    return f"{reason[:1].upper()}{reason[1:]}."


def examined(path: Path) -> ListedSuspect:
    """Read the card of a checkpoint, again whenever the file changes.

    Args:
        path: of the checkpoint.

    Returns:
        Its identity, or what is wrong with it.
    """
    return _examine(path, _state(path))


def complain(text: str, title: str) -> None:
    """Show an error message as plain text, since it may quote a file.

    Args:
        text: the message; options of the command line are replaced by the names of the page's fields.
        title: of the message.
    """
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
    """Show the card of a model."""
    if identity.name is not None:
        st.text(identity.name)
    with facts():
        fact("Architecture", identity.architecture)
        fact("Data", identity.data or "not said")
        fact("Images", picture_of(identity))
    shown, total = identity.class_names[:CLASSES_SHOWN], len(identity.class_names)
    more = f" and {total - len(shown):,} more" if total > len(shown) else ""
    fact(f"{total:,} classes", ", ".join(printable(name, 40) for name in shown) + more)


def picture_of(identity: Identity) -> str:
    """Say size and channels of a model's images.

    Args:
        identity: of the model.

    Returns:
        The text.
    """
    c, h, w = identity.shape
    return f"{h} × {w}, {'grey' if c == 1 else 'colour' if c == 3 else f'{c} channels'}"


def facts() -> DeltaGenerator:
    """Open a row for facts.

    Returns:
        The container.
    """
    return st.container(horizontal=True, gap="medium")


def fact(label: str, value: str, tip: str | None = None) -> None:
    """Show a value as plain text under its label.

    Args:
        label: of the value.
        value: the value.
        tip: shown on hover.
    """
    with st.container(width="content", gap=None):
        st.caption(label)
        st.text(value, help=tip)
