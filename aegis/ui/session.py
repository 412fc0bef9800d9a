"""What all sessions of a server share, and what belongs to one browser or user, whatever page it opens."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, cast

import streamlit as st

from aegis.core.runtime import Report
from aegis.core.text import minute
from aegis.core.types import Dataset, VerdictName
from aegis.records.detectors import DetectorRecord
from aegis.records.record import ScanRecord
from aegis.records.references import References
from aegis.store.store import Store
from aegis.ui import caches
from aegis.ui.apart import carry_out_apart
from aegis.ui.browser import owner, signed_in_name
from aegis.ui.caches import UploadCache, is_upload
from aegis.ui.jobs import Job, Jobs, Reporter
from aegis.ui.order import Order, Outcome
from aegis.ui.references import ReferenceOrder, make
from aegis.ui.watch import Kind, Watch

ScanJob = Job[Outcome]
T = TypeVar("T")
# Badge colour of each verdict, in Streamlit's names; the theme maps them to shades safe for colour-blind eyes.
VERDICT_COLOURS: dict[VerdictName, Literal["red", "blue", "gray"]] = {
    "infected": "red",
    "clean": "blue",
    "inconclusive": "gray",
}
VERDICT_ICONS = {"infected": ":material/warning:", "clean": ":material/check:", "inconclusive": ":material/help:"}
RECENT = 200


@dataclass(frozen=True)
class WhatIf:
    """Budget and method for one class.

    Args:
        scan: key of the scan.
        label: the class.
        epsilon: a budget that the scan did not use, or None for those that it used.
        method: of the embedding.
    """

    scan: str
    label: int
    epsilon: float | None
    method: str


@dataclass(frozen=True, eq=False)
class ServerState:
    """The workers of this server and the state its sessions share.

    Args:
        jobs: scans and the making of references, one at a time.
        looks: jobs that compute more of one class than its scan, on a worker of their own, so that they wait for none.
        taken: id of the latest of these jobs, by what it computes.
        making: id of the latest job that makes references, by the digest of the images.
        upload_cache: measurements and uploads.
        owned: ids of the jobs of each owner.
        names: what people who did not sign in call themselves, by owner.
    """

    jobs: Jobs = field(default_factory=Jobs)
    looks: Jobs = field(default_factory=Jobs)
    taken: dict[Hashable, str] = field(default_factory=dict)
    making: dict[str, str] = field(default_factory=dict)
    upload_cache: UploadCache = field(default_factory=UploadCache)
    owned: dict[str, set[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


@st.cache_resource(show_spinner=False)
def server_state() -> ServerState:
    """Finds the state that all sessions of the server share."""
    return ServerState()


def start(order: Order, asked: Mapping[str, object] | None = None, facts: Mapping[str, str] | None = None) -> ScanJob:
    """Queues a scan of this session's owner.

    Args:
        order: what to scan and how.
        asked: what the page's widgets said, so that they can say it again after a reload.
        facts: what is scanned and how, by name, to be shown from the first moment on.
    """
    here, who = server_state(), owner()
    kind: Kind = "measurement" if order.measure_only else "scan"
    watch = Watch(order.title or order.file, kind, asked=asked or {}, facts=dict(facts or {}))

    def work(report: Reporter) -> Outcome:
        outcome = carry_out_apart(order, report, watch, here.upload_cache)
        if order.workspace and outcome.key:
            # Noted by the job, since the page may be gone.
            Store().own(outcome.key, who)
        return outcome

    clean = order.workspace.remove if order.workspace else lambda: None
    job = here.jobs.start(work, watch, clean)
    _adopt(job.id)
    return job


def find_job(id: str) -> ScanJob | None:
    """Finds a scan by its id; it then belongs to this session's owner."""
    return cast("ScanJob | None", _adopted(id, {"scan", "measurement"}))


def start_job(work: Callable[[Reporter], T], watch: Watch, clean: Callable[[], None] = lambda: None) -> Job[T]:
    """Queues other work of this session's owner among the scans.

    Args:
        work: as in ``Jobs.start``.
        watch: is given every event.
        clean: called once when the job is over, however it ends.
    """
    job = server_state().jobs.start(work, watch, clean)
    _adopt(job.id)
    return job


def find_own_job(id: str, kind: Kind) -> Job[object] | None:
    """Finds a job of a kind by its id; it then belongs to this session's owner."""
    return _adopted(id, {kind})


def start_references(order: ReferenceOrder) -> Job[References]:
    """Queues the making of references by this session, among the scans: one that is started later then uses them."""
    watch = Watch(order.title, "references", order.seconds)
    job = start_job(lambda report: make(order, report, watch), watch, order.clean)
    server_state().making[order.digest] = job.id
    return job


def find_making(digest: str) -> Job[References] | None:
    """Finds the latest job that makes references of images with this digest."""
    return find_making_job(server_state().making.get(digest, ""))


def find_making_job(id: str) -> Job[References] | None:
    """Finds a job that makes references by its id; it then belongs to this session's owner."""
    return cast("Job[References] | None", find_own_job(id, "references"))


def own_running() -> list[Job[object]]:
    """Lists the work of this session's owner that waits or runs, in the queue's order."""
    jobs = [_adopted(id, {"scan", "references", "training", "experiment"}) for id in tuple(_own_jobs())]
    running = [job for job in jobs if job and not job.over]
    return sorted(running, key=server_state().jobs.ahead)


def start_look(what: Hashable, work: Callable[[Report, Watch], T], title: str) -> None:
    """Queues the computation of more of one class; the same one is found again after a reload.

    Args:
        what: says what is computed, as a ``WhatIf`` or another value.
        work: the computation.
        title: shown while it runs.
    """
    here, watch = server_state(), Watch(title=title)
    for old in [old for old, id in here.taken.items() if here.looks.find(id) is None]:
        del here.taken[old]
    here.taken[what] = here.looks.start(lambda report: work(report, watch), watch).id


def find_look(what: Hashable) -> Job[Any] | None:
    """Finds the latest job that computes this."""
    id = server_state().taken.get(what)
    return None if id is None else server_state().looks.find(id)


def drop_look(what: Hashable) -> None:
    """Cancels the computation of this if it has not ended, and forgets it, so that it is begun anew when asked for."""
    job = find_look(what)
    if job is not None and not job.over:
        server_state().looks.cancel(job)
        del server_state().taken[what]


def computed_budgets(scan: str, label: int) -> tuple[float, ...]:
    """Lists the budgets that this server computed for a class beside those of its scan.

    Args:
        scan: key of the scan.
        label: the class.
    """
    jobs = [
        (one.epsilon, server_state().looks.find(id))
        for one, id in tuple(server_state().taken.items())
        if isinstance(one, WhatIf) and (one.scan, one.label) == (scan, label)
    ]
    return tuple(sorted({epsilon for epsilon, job in jobs if epsilon and job and job.state == "done"}))


def own_scans() -> set[str]:
    """Lists the scans that this session's owner made from uploads or opened by a link.

    Raises:
        StoreError: if the store cannot be used.
    """
    return {*_opened(), *Store().owned_by(owner())}


def open_scan(key: str) -> ScanRecord | None:
    """Reads a finished scan, which then belongs to this session's owner.

    Returns:
        The record; None if there is none.

    Raises:
        StoreError: if the store cannot be used.
    """
    store = Store()
    record = store.find_scan(key)
    if record is not None and is_upload(record) and key not in _opened():
        store.own(key, owner())
        _opened().add(key)
    return record


def author() -> str:
    """Names who writes reviews here: who signed in, else what was typed in this browser; empty if nothing was."""
    return signed_in_name() or server_state().names.get(owner(), "")


def call_author(name: str) -> None:
    """Remembers what the one who uses this browser is called."""
    server_state().names[owner()] = name


def may_see(key: str, is_upload: bool, own: Collection[str]) -> bool:
    """Tells whether this session may see a scan: others' uploads are private.

    Args:
        key: of the scan.
        is_upload: whether it shows something that came from somebody's browser.
        own: keys of its owner's scans.
    """
    return key in own or not is_upload


def recent_scans(limit: int) -> dict[str, ScanRecord]:
    """Reads the latest scans, without those of others' uploads.

    Returns:
        Records by key, the newest first.

    Raises:
        StoreError: if the store cannot be used.
    """
    own = own_scans()
    known = [(key, record) for key, record in Store().scans(RECENT) if may_see(key, is_upload(record), own)]
    return dict(known[:limit])


def look_for_images(key: str, record: ScanRecord) -> tuple[Dataset | None, str]:
    """Loads the images of a scan, or says why that is impossible.

    Returns:
        The images or None, and the reason in words where there are none.
    """
    return caches.look_for_images(record, key, server_state().upload_cache)


def verdict_badge(record: ScanRecord | DetectorRecord) -> None:
    """Shows the verdict as a coloured word with a sign."""
    verdict = record.verdict
    st.badge(verdict.capitalize(), icon=VERDICT_ICONS[verdict], color=VERDICT_COLOURS[verdict])


def when(created: str) -> str:
    """Writes a date for people.

    Args:
        created: in ISO 8601.

    Returns:
        The date in UTC, to the minute.
    """
    return f"{minute(created)} UTC"


def _adopted(id: str, kinds: Collection[Kind]) -> Job[object] | None:
    job = server_state().jobs.find(id)
    if job is None or not isinstance(job.watch, Watch) or job.watch.kind not in kinds:
        return None
    _adopt(id)
    return job


def _own_jobs() -> set[str]:
    """Ids of the owner's jobs, without those that the queue has forgotten."""
    here, who = server_state(), owner()
    found = {id for id in tuple(here.owned.get(who, ())) if here.jobs.find(id) is not None}
    # Nothing is kept of the many who only look.
    if found:
        here.owned[who] = found
    else:
        here.owned.pop(who, None)
    return found


def _adopt(id: str) -> None:
    server_state().owned.setdefault(owner(), set()).add(id)


def _opened() -> set[str]:
    found: set[str] = st.session_state.setdefault("own_scans", set())
    return found
