"""A finished scan in one line; no Streamlit here."""

from __future__ import annotations

from aegis.core.text import numbered, printable
from aegis.data import DATASETS, SOURCES
from aegis.data.catalogue import SAMPLES
from aegis.records.record import ScanRecord

OWN = "Upload…"
NAMED = 3


def title_of(source: str) -> str:
    """Name a source of images for people.

    Args:
        source: its name or path.

    Returns:
        The title.
    """
    if source == OWN:
        return OWN
    info = DATASETS[source.removeprefix(SAMPLES)]
    return f"{info.title}, bundled sample" if source.startswith(SAMPLES) else f"{info.title}, all images"


def say_flagged(record: ScanRecord, nobody: str = "no class flagged") -> str:
    """Name the flagged classes, and say how many were tested if not all were.

    Args:
        record: the scan.
        nobody: words for no flagged class.

    Returns:
        The text.
    """
    named = [numbered(one.label, one.name, 30) for one in record.classes if one.flagged]
    tested, total = len(record.classes), len(record.data.class_names)
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    part = "" if tested == total else f" ({tested} of {total} tested)"
    return (", ".join(named[:NAMED]) + more if named else nobody) + part


def say_images(record: ScanRecord) -> str:
    """Name the images of a scan.

    Args:
        record: the scan.

    Returns:
        The title.
    """
    return title_of(record.data.name) if record.data.name in SOURCES else printable(record.data.name, 60)
