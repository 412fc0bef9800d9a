"""Small parts of several pages. Text from files is shown by ``st.text`` alone, which parses nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from aegis.core.text import minute, numbered, printable
from aegis.data import DATASETS, SOURCES
from aegis.data.catalogue import SAMPLES
from aegis.models.card import Identity
from aegis.records.record import ClassRecord, ScanRecord
from aegis.ui.order import ChosenImages
from aegis.ui.suspects import ROOT, ListedSuspect, examine

LOGO = ROOT / "assets" / "logo.svg"
HOME, SCAN, INSPECT, HISTORY = "app.py", "pages/1_Scan.py", "pages/2_Inspect_Class.py", "pages/3_History.py"
# Not in the navigation: it is reached from the list with two scans.
COMPARE = "pages/4_Compare.py"
BASELINES, EXPERIMENTS = "pages/5_Baselines.py", "pages/6_Experiments.py"
CLASSES_SHOWN = 12
# Characters of a reason.
REASON = 400
FIELDS = {"--data": "“Images”", "--arch": "“Architecture”", "--classes": "“Classes”"}
OWN = "Upload…"
# What the Scan page's address says instead of a suspect's file.
UPLOAD = "upload"
LAB, FLEET = "pages/7_Attack_Lab.py", "pages/8_Fleet.py"
# The page that shows a job of each kind, and what its address calls it.
LINKS = {
    "scan": (SCAN, "job"),
    "references": (SCAN, "references"),
    "training": (LAB, "training"),
    "experiment": (EXPERIMENTS, "run"),
}
NAMED = 3


def reason_of(one: ClassRecord) -> str:
    """Says why a class was flagged or not."""
    reason = printable(one.reason, REASON)
    return f"{reason[:1].upper()}{reason[1:]}."


def examined(path: Path) -> ListedSuspect:
    """Reads the card of a checkpoint, again whenever the file changes.

    Returns:
        Its identity, or what is wrong with it.
    """
    return _examine(path, _state(path))


def complain(text: str, title: str) -> None:
    """Shows an error message as plain text, since it may quote a file.

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
    """Shows the card of a model."""
    if identity.name is not None:
        st.text(identity.name)
    with facts():
        fact("Architecture", identity.architecture)
        known = DATASETS.get(identity.data or "")
        fact("Data", known.title if known else identity.data or "not said")
        fact("Images", picture_of(identity))
    shown, total = identity.class_names[:CLASSES_SHOWN], len(identity.class_names)
    more = f" and {total - len(shown):,} more" if total > len(shown) else ""
    fact(f"{total:,} classes", ", ".join(printable(name, 40) for name in shown) + more)


def picture_of(identity: Identity) -> str:
    """Says size and channels of a model's images."""
    c, h, w = identity.shape
    return f"{h} × {w}, {'grey' if c == 1 else 'colour' if c == 3 else f'{c} channels'}"


def facts() -> DeltaGenerator:
    """Opens a row for facts."""
    return st.container(horizontal=True, gap="medium")


def fact(label: str, value: str, tip: str | None = None) -> None:
    """Shows a value as plain text under its label.

    Args:
        label: of the value.
        value: the value.
        tip: shown on hover.
    """
    with st.container(width="content", gap=None):
        st.caption(label)
        st.text(value, help=tip)


def title_of(source: str) -> str:
    """Names a source of images for people."""
    if source == OWN:
        return OWN
    info = DATASETS[source.removeprefix(SAMPLES)]
    return f"{info.title}, bundled sample" if source.startswith(SAMPLES) else f"{info.title}, all images"


def title_of_chosen(images: ChosenImages) -> str:
    """Names images that were chosen or uploaded for people."""
    return images.upload.name if images.upload else title_of(str(images.source))


def class_title(entry: ClassRecord) -> str:
    """Names a class in one line."""
    return f"{numbered(entry.label, entry.name)}{' (flagged)' if entry.flagged else ''}"


def say_flagged(record: ScanRecord, nobody: str = "no class flagged") -> str:
    """Names the flagged classes, and says how many were tested if not all were.

    Args:
        record: the scan.
        nobody: words for no flagged class.
    """
    named = [numbered(one.label, one.name, 30) for one in record.classes if one.flagged]
    tested, total = len(record.classes), len(record.data.class_names)
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    part = "" if tested == total else f" ({tested} of {total} tested)"
    return (", ".join(named[:NAMED]) + more if named else nobody) + part


def say_images(record: ScanRecord) -> str:
    """Names the images of a scan."""
    return title_of(record.data.name) if record.data.name in SOURCES else printable(record.data.name, 60)


def scan_title(record: ScanRecord) -> str:
    """Names a scan in one line, to be chosen among others.

    Args:
        record: the scan.
    """
    return f"{printable(record.model.file, 48)}, {record.verdict}, {minute(record.created)}"
