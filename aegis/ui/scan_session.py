"""What a server shares and what belongs to one browser session."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast

import streamlit as st

from aegis.data import SOURCES
from aegis.detect.record import ScanRecord
from aegis.errors import AegisError
from aegis.runtime import Report
from aegis.store import Store
from aegis.types import Dataset, VerdictName
from aegis.ui.jobs import Job, Jobs
from aegis.ui.scan_draft import Papers
from aegis.ui.scan_order import Notes, Order, Outcome, carry_out
from aegis.ui.scan_watch import Watch
from aegis.ui.scans import look_for_images
from aegis.ui.suspects import list_suspects, suspects_folder
from aegis.ui.widgets import examined

ScanJob = Job[Outcome]
# Of each verdict, as Streamlit calls colours: the theme makes them safe for colour-blind eyes.
VERDICT_COLOURS: dict[VerdictName, Literal["red", "blue", "gray"]] = {
    "infected": "red",
    "clean": "blue",
    "inconclusive": "gray",
}
VERDICT_ICONS = {"infected": ":material/warning:", "clean": ":material/check:", "inconclusive": ":material/help:"}
RECENT = 200


@dataclass(frozen=True, eq=False)
class Desk:
    """The one worker of this server, and what its sessions share."""

    jobs: Jobs = field(default_factory=Jobs)
    notes: Notes = field(default_factory=Notes)
    papers: Papers = field(default_factory=Papers)


@st.cache_resource(show_spinner=False)
def desk() -> Desk:
    """The server's desk; every session sees the same one."""
    return Desk()


def start(order: Order) -> ScanJob:
    """Queue an order of this session."""
    here, watch = desk(), Watch(title=order.file)

    def work(report: Report) -> Outcome:
        return carry_out(order, report, watch, here.notes)

    clean = order.workspace.remove if order.workspace else lambda: None
    job = here.jobs.start(work, watch, clean)
    _own("own_jobs").add(job.id)
    return job


def find_job(id: str) -> ScanJob | None:
    """The scan of an id, which then counts as this session's."""
    job = desk().jobs.find(id)
    if job is None or not isinstance(job.watch, Watch):
        return None
    _own("own_jobs").add(id)
    return cast(ScanJob, job)


def own_scans() -> set[str]:
    """Keys of the scans that this session made or opened."""
    keys = _own("own_scans")
    for id in _own("own_jobs"):
        job = desk().jobs.find(id)
        if job is not None and isinstance(job.result, Outcome) and job.result.key:
            keys.add(job.result.key)
    return keys


def open_scan(key: str) -> ScanRecord | None:
    """The record of a finished scan, which then counts as this session's.

    Raises:
        StoreError: if the store cannot be used.
    """
    record = Store().find_scan(key)
    if record is not None:
        _own("own_scans").add(key)
    return record


def images_of(key: str, record: ScanRecord) -> tuple[Dataset | None, str]:
    """The images of a scan, uploaded ones as long as they are at hand; or None, and in words why."""
    uploaded = desk().notes.shelf.get(key)
    return look_for_images(record) if uploaded is None else (uploaded, "")


def recent_scans(limit: int) -> list[tuple[str, ScanRecord]]:
    """The latest scans that this session may see: its own, and those of bundled suspects with bundled images."""
    bundled = {examined(path).sha256 for path in list_suspects(suspects_folder())}
    own = own_scans()
    try:
        known = Store().scans(RECENT)
    except AegisError:
        return []
    return [
        (key, record)
        for key, record in known
        if key in own or (record.model.sha256 in bundled and record.data.name in SOURCES)
    ][:limit]


def verdict_badge(record: ScanRecord) -> None:
    """The verdict as one coloured word with a sign."""
    verdict = record.verdict
    st.badge(verdict.capitalize(), icon=VERDICT_ICONS[verdict], color=VERDICT_COLOURS[verdict])


def when(record: ScanRecord) -> str:
    """The date of a scan, in UTC, to the minute."""
    return f"{record.created[:16].replace('T', ' ')} UTC"


def _own(name: str) -> set[str]:
    found: set[str] = st.session_state.setdefault(name, set())
    return found
