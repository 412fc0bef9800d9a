"""Finished scans as rows of a list: what is told of each, which are asked for, and the list as a file; no widgets."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import streamlit as st

from aegis.core.text import cell, minute, printable
from aegis.records.record import ScanRecord
from aegis.records.review import NOTE, Reviews, say_decisions, say_status
from aegis.records.settings import preset_of, spent
from aegis.records.wording import robust_up_to
from aegis.store.store import Store
from aegis.ui.caches import is_upload
from aegis.ui.components.widgets import say_flagged, say_images
from aegis.ui.session import may_see, own_scans

# Fields in exported files that the list does not show.
INNER: Final = ("title", "is_upload")
# Older scans are not read: people look for the latest.
MOST = 1000


@dataclass(frozen=True, kw_only=True)
class Row:
    """One finished scan; text from files is one line without control characters.

    Args:
        key: of the scan in the store.
        created: date and time in UTC, to the minute.
        verdict, sentence: result of the scan.
        file, sha256, architecture, accuracy, robust_up_to: of the suspect.
        flagged: the flagged classes, in words.
        decisions: what analysts decided, in a few words.
        review: the same with who did and why; empty where nothing stands.
        data, title: name of the images, and what they are called.
        preset: one of ``KINDS``.
        device, precision, version: what it was computed on, and by which AEGIS.
        seconds: that it took on the clock.
        is_upload: whether it shows something that came from somebody's browser.
    """

    key: str
    created: str
    verdict: str
    sentence: str
    file: str
    sha256: str
    architecture: str
    accuracy: float
    robust_up_to: str
    flagged: str
    decisions: str
    review: str
    data: str
    title: str
    preset: str
    device: str
    precision: str
    version: str
    seconds: float
    is_upload: bool

    def says(self, word: str) -> bool:
        """Tells whether file, model or images contain a word.

        Args:
            word: in small letters.
        """
        return any(word in text.lower() for text in (self.file, self.sha256, self.architecture, self.data, self.title))


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which scans are asked for; what is empty asks for nothing.

    Args:
        text: words that file, model or images all have, together.
        verdicts, presets: any of these.
        since, until: days in ISO 8601, both included.
    """

    text: str = ""
    verdicts: Collection[str] = ()
    presets: Collection[str] = ()
    since: str = ""
    until: str = ""

    def takes(self, row: Row) -> bool:
        """Tells whether a scan passes the filters."""
        day = row.created[:10]
        return (
            all(row.says(word) for word in self.text.lower().split())
            and (not self.verdicts or row.verdict in self.verdicts)
            and (not self.presets or row.preset in self.presets)
            and (not self.since or day >= self.since)
            and (not self.until or day <= self.until)
        )


def row_of(key: str, record: ScanRecord, reviews: Reviews) -> Row:
    """Makes the row of a scan.

    Args:
        key: of the scan.
        record: the scan.
        reviews: what analysts added, the latest last.
    """
    model = record.model
    return Row(
        key=key,
        created=minute(record.created),
        verdict=record.verdict,
        sentence=printable(record.sentence, 1000),
        file=printable(model.file, 120),
        sha256=printable(model.sha256, 64),
        architecture=printable(model.architecture, 60),
        accuracy=model.accuracy,
        robust_up_to=robust_up_to(model),
        flagged=say_flagged(record, "none"),
        decisions=say_decisions(record, reviews),
        review=say_status(record, reviews, NOTE),
        data=printable(record.data.name, 120),
        title=say_images(record),
        preset=preset_of(record),
        device=printable(record.runtime.device, 20),
        precision=record.runtime.precision,
        version=printable(record.versions.get("aegis", ""), 20),
        seconds=round(spent(record), 1),
        is_upload=is_upload(record),
    )


def as_csv(rows: Sequence[Row]) -> str:
    """Writes the list as CSV, safe against formulas."""
    text = io.StringIO()
    plain = [_plain(row) for row in rows]
    writer = csv.DictWriter(text, [name for name in Row.__dataclass_fields__ if name not in INNER], lineterminator="\n")
    writer.writeheader()
    for row in plain:
        writer.writerow({name: cell(value, 2000) if isinstance(value, str) else value for name, value in row.items()})
    return text.getvalue()


def as_json(rows: Sequence[Row]) -> str:
    """Writes the list as JSON."""
    return json.dumps([_plain(row) for row in rows], indent=2, ensure_ascii=False) + "\n"


def _plain(row: Row) -> dict[str, str | float]:
    return {name: value for name, value in vars(row).items() if name not in INNER}


def known_rows() -> list[Row]:
    """Lists the finished scans, without those of other sessions' uploads.

    Returns:
        Rows, the newest first.

    Raises:
        StoreError: if the store cannot be used.
    """
    folder, own = Store().folder, own_scans()
    return [row for row in _read(str(folder), _state(folder)) if may_see(row.key, row.is_upload, own)]


@st.cache_resource(max_entries=2, show_spinner="Reading the store")
def _read(folder: str, state: tuple[tuple[str, int, int], ...]) -> tuple[Row, ...]:
    store = Store(Path(folder))
    reviews = store.reviews()
    return tuple(row_of(key, record, reviews.get(key, ())) for key, record in store.scans(MOST))


def _state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes whenever anybody writes to the store's index."""
    found = []
    for file in sorted(folder.glob("index.sqlite*")):
        try:
            status = file.stat()
        except FileNotFoundError:
            continue
        # sqlite's shared memory changes on reading as well.
        if not file.name.endswith("-shm"):
            found.append((file.name, status.st_size, status.st_mtime_ns))
    return tuple(found)
