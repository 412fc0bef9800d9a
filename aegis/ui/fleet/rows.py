"""Suspects of a fleet as rows: what is told of each, which are asked for, and the list as a file; no widgets."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from aegis.core.text import cell, printable, spoken
from aegis.services.fleet.journal import CANCELLED, FAILED, RUNNING, WAITING, State

# What a suspect is at in one word: a state, or once it is done the verdict.
NOT_SCANNED = "not scanned"
OUTCOMES = ("infected", "inconclusive", "clean", NOT_SCANNED, RUNNING, WAITING, CANCELLED)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One suspect; text from files is one line without control characters.

    Args:
        number: its place in the fleet.
        outcome: one of ``OUTCOMES``.
        name, file: of the checkpoint, without and with its folder.
        progress: share that is done, in [0, 1].
        classes: how many are examined, in words.
        left: seconds that it still needs if nothing else runs, or None.
        seconds: that its work took so far.
        flagged: the flagged classes.
        message: why it could not be scanned.
        scan: key of the scan in the store, or empty.
    """

    number: int
    outcome: str
    name: str
    file: str
    progress: float
    classes: str
    left: float | None
    seconds: float
    flagged: str
    message: str
    scan: str

    @property
    def still(self) -> str:
        """The time left in words."""
        return "" if self.left is None else spoken(self.left)

    @property
    def can_end(self) -> bool:
        """Whether there is something to cancel."""
        return self.outcome in (RUNNING, WAITING)


def row_of(state: State) -> Row:
    """Makes the row of a suspect."""
    outcome = NOT_SCANNED if state.state == FAILED else state.verdict or state.state
    return Row(
        number=state.number,
        outcome=outcome,
        name=printable(PurePath(state.file).name, 120),
        file=printable(state.file, 400),
        progress=_progress(state),
        classes=f"{state.done} of {state.total}" if state.total else "",
        left=state.left,
        seconds=round(state.seconds, 1),
        flagged=printable(state.flagged, 60),
        message=printable(state.message, 1000),
        scan=state.scan,
    )


def chosen(rows: Sequence[Row], text: str, outcomes: Collection[str]) -> list[Row]:
    """Chooses the rows that are asked for.

    Args:
        rows: all of them.
        text: words that file or message all have, together.
        outcomes: any of these; none for all.
    """
    words = text.lower().split()
    return [
        row
        for row in rows
        if (not outcomes or row.outcome in outcomes)
        and all(word in row.file.lower() or word in row.message.lower() for word in words)
    ]


def as_csv(rows: Sequence[Row]) -> str:
    """Writes the list as CSV, safe against formulas."""
    text = io.StringIO()
    names = ("file", "outcome", "flagged", "classes", "seconds", "left", "message", "scan")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        values = [getattr(row, name) for name in names]
        writer.writerow([cell(value, 2000) if isinstance(value, str) else value for value in values])
    return text.getvalue()


def _progress(state: State) -> float:
    if state.state == RUNNING:
        return state.done / state.total if state.total else 0.0
    return 0.0 if state.state == WAITING else 1.0
