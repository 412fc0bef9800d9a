"""Drives a fleet: every suspect becomes pieces of work, found if they were done before, and its record at the end."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aegis.core.errors import AegisError
from aegis.core.runtime import Cancelled
from aegis.fleet.executor import LIBRARIES, Ended, Executor, Share
from aegis.fleet.messages import pack, unpack
from aegis.fleet.queue import Piece, Queue
from aegis.services.fleet.course import MEASURED, Course
from aegis.services.fleet.journal import CANCELLED, DONE, FAILED, RUNNING, Journal, State
from aegis.services.fleet.pace import Pace
from aegis.services.fleet.request import FleetScan
from aegis.services.fleet.scanned import Scanned
from aegis.store.store import Store

DEAD = "Its process ended twice, without a word; most likely the memory was too little. Scan it alone: aegis scan."
MEMORY = "Expected enough memory for one class; got too little. Give it fewer seeds, or a node with more."
NOWHERE = "Expected a node that can scan it; got none: {why}. Put its files where every node finds them."
# Bytes that a worker takes, beside those for the libraries, for each of the checkpoint: the model, its copies and
# gradients.
TIMES = 8


@dataclass(frozen=True)
class _About:
    """What a piece is about: the measurement of a suspect, or some of its classes."""

    course: Course
    labels: tuple[int, ...] = ()


@dataclass(eq=False)
class Drive:
    """One fleet on its way.

    Args:
        scans: what to do.
        executor: does it.
        journal: where others see how far it is.
        told: is given every suspect as it ends, with its position.
        id: of the fleet in the journal.
        order: positions of the suspects that have not begun, the next one last.
    """

    scans: Sequence[FleetScan]
    executor: Executor
    journal: Journal
    told: Callable[[int, Scanned], None]
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    order: list[int] = field(init=False)

    def __post_init__(self) -> None:
        sizes = [scan.size for scan in self.scans]
        self._sizes = sizes
        # The largest first, so that no long one is left for the end.
        self.order = sorted(range(len(self.scans)), key=lambda i: (sizes[i], -i))
        self._rank = {number: rank for rank, number in enumerate(reversed(self.order))}
        self._courses: dict[int, Course] = {}
        self._about: dict[Piece, _About] = {}
        self._why: dict[Piece, str] = {}
        self._pace = Pace()
        self._queue = Queue(self.executor, self._more, self._ended, self._tick)

    def run(self, source: str, place: str) -> None:
        """Scans all suspects.

        Args:
            source: the folder or list of suspects.
            place: where the work is done, in words.

        Raises:
            Cancelled: once somebody ended the whole fleet.
            AegisError: if no worker is left, or results cannot be kept.
        """
        named = zip((str(scan.suspect.checkpoint) for scan in self.scans), self._sizes)
        self.journal.begin(self.id, source, place, time.time(), named)
        try:
            with Store().held_open():
                self._queue.run()
        finally:
            self.executor.close()
        self.journal.end(self.id, time.time())

    def _more(self) -> bool:
        """Begins the next suspect; False if there is none."""
        if not self.order:
            return False
        number = self.order.pop()
        scan, started = self.scans[number], time.perf_counter()
        course = Course(number, scan, started, Store())
        key = _key(scan)
        record = course.store.find_scan(key) if key else None
        if record is not None and course.store.is_whole(key):
            self._tell(course, Scanned.of(scan.suspect, record, key, True, time.perf_counter() - started))
            return True
        self._courses[number] = course
        kept = self.journal.pieces(key) if key else {}
        measured = json.loads(kept[MEASURED]) if MEASURED in kept else None
        if measured is not None and course.store.has(measured["arrays"]):
            course.keep({}, measured["arrays"])
            self._begin_classes(course, measured, kept)
        else:
            self._note(course)
            self._put(_About(course))
        return True

    def _put(self, about: _About, gpu: bool | None = None) -> None:
        course = about.course
        piece = Piece(
            self._rank[course.number],
            lambda: self._message(about),
            Share(LIBRARIES + TIMES * self._sizes[course.number]),
            gpu,
        )
        self._about[piece] = about
        self._queue.put(piece)

    def _message(self, about: _About) -> bytes:
        scan, measured = about.course.scan, about.course.measured
        # Paths as they were given are part of records, and relative ones mean something only in their folder.
        said: dict[str, Any] = {
            "run": self.id,
            "scan": scan.to_json(),
            "needs": scan.files(),
            "folder": str(Path.cwd()),
        }
        if not about.labels:
            return pack(said | {"do": "measure"})
        said |= {name: measured[name] for name in ("device", "precision", "digest")}
        said |= {"do": "examine", "labels": about.labels}
        return pack(said, {measured["measured"]: about.course.measurement()})

    def _ended(self, piece: Piece, ended: Ended) -> None:
        about = self._about.pop(piece)
        if about.course.number not in self._courses:
            return  # it was cancelled or failed meanwhile
        if ended.how == "answered":
            self._answered(piece, about, ended)
        elif ended.how == "memory":
            self._halve(about, piece.gpu, MEMORY)
        elif ended.how == "nowhere":
            self._fail(about.course, NOWHERE.format(why=self._why.get(piece, "no worker is like that")))
        else:
            self._fail(about.course, DEAD)

    def _answered(self, piece: Piece, about: _About, ended: Ended) -> None:
        try:
            said, files = unpack(ended.answer)
            if "missing" in said:
                self._elsewhere(piece, about, ended.slot.node, said["error"])
            elif "error" in said:
                pieces = about.labels if said["memory"] else ()
                self._halve(_About(about.course, pieces), piece.gpu, said["error"])
            elif about.labels:
                self._examined(about.course, said, files)
            else:
                self._measured(about.course, said | {"gpu": ended.slot.gpu}, files)
        except AegisError as error:
            self._fail(about.course, str(error))

    def _elsewhere(self, piece: Piece, about: _About, node: str, why: str) -> None:
        """Lets another node do what this one lacks the files for."""
        piece.avoid.add(node)
        self._about[piece], self._why[piece] = about, why
        self._queue.put(piece)

    def _halve(self, about: _About, gpu: bool | None, why: str) -> None:
        """Does with half as many classes at a time what took too much memory."""
        middle = len(about.labels) // 2
        if not middle:
            self._fail(about.course, why)
            return
        for labels in (about.labels[:middle], about.labels[middle:]):
            self._put(_About(about.course, labels), gpu)

    def _measured(self, course: Course, said: dict[str, Any], files: dict[str, bytes]) -> None:
        took = said.pop("took")
        course.took = course.measuring = took
        self._pace.measured(took)
        course.keep(files, said["arrays"])
        self.journal.keep_pieces(said["key"], [(MEASURED, json.dumps(said))])
        self._begin_classes(course, said, self.journal.pieces(said["key"]))

    def _begin_classes(self, course: Course, measured: dict[str, Any], kept: dict[int, str]) -> None:
        """Finds the classes that were examined before, and puts the others."""
        course.measured = measured
        for label in measured["labels"]:
            known = json.loads(kept[label]) if label in kept else None
            if known is not None and course.store.has(known["arrays"]):
                course.classes[label] = known
                course.keep({}, known["arrays"])
        missing = course.missing()
        size = self._pace.batch(course.measuring)
        for i in range(0, len(missing), size):
            self._put(_About(course, tuple(missing[i : i + size])), measured["gpu"])
        self._go_on(course)

    def _examined(self, course: Course, said: dict[str, Any], files: dict[str, bytes]) -> None:
        course.took += said["took"]
        self._pace.examined(len(said["classes"]), said["took"])
        course.keep(files, [key for one in said["classes"] for key in one["arrays"]])
        course.classes |= {one["label"]: one for one in said["classes"]}
        course.add_seconds(said["seconds"])
        self.journal.keep_pieces(course.key, [(one["label"], json.dumps(one)) for one in said["classes"]])
        self._go_on(course)

    def _go_on(self, course: Course) -> None:
        if course.missing():
            self._note(course)
            return
        record, known = course.record(), course.store.find_scan(course.key)
        if known is not None and known.model.sha256 == record.model.sha256:
            # The scan was saved, but arrays were missing; its positive control needs none of them.
            record = record.model_copy(update={"control": known.control})
        course.store.keep_scan(course.key, record)
        self.journal.drop_pieces(course.key)
        self._leave(course)
        self._tell(course, Scanned.of(course.scan.suspect, record, course.key, False, course.took))

    def _fail(self, course: Course, message: str, cancelled: bool = False) -> None:
        self._leave(course)
        suspect = course.scan.suspect
        self._tell(course, Scanned(suspect, seconds=course.took, message=message, cancelled=cancelled))

    def _leave(self, course: Course) -> None:
        self._courses.pop(course.number, None)
        self._queue.drop(self._rank[course.number])

    def _tell(self, course: Course, scanned: Scanned) -> None:
        self._note(course, scanned)
        self.told(course.number, scanned)

    def _note(self, course: Course, scanned: Scanned | None = None) -> None:
        total = len(course.measured.get("labels", ()))
        done, left, state = len(course.classes), None, RUNNING
        said: dict[str, str] = {}
        if scanned is not None:
            state = DONE if scanned.record else CANCELLED if scanned.cancelled else FAILED
            said = {"message": scanned.message, "scan": scanned.key}
            if (record := scanned.record) is not None:
                said |= {"verdict": record.verdict, "flagged": ", ".join(map(str, record.flagged_classes))}
                total = done = len(record.classes)
        elif total:
            left = (total - done) * self._pace.of_class(course.measuring)
        self.journal.note(
            self.id,
            State(
                number=course.number,
                file=str(course.scan.suspect.checkpoint),
                state=state,
                done=done,
                total=total,
                left=left,
                seconds=course.took,
                **said,  # type: ignore[arg-type]
            ),
        )

    def _tick(self) -> None:
        """Looks whether the fleet, or one of its suspects, is still wanted.

        Raises:
            Cancelled: if the whole is not.
        """
        whole, some = self.journal.cancelled(self.id)
        if whole:
            self.journal.end(self.id, time.time())
            raise Cancelled
        for number in some:
            course = self._courses.get(number)
            if course is None and number in self.order:
                self.order.remove(number)
                course = Course(number, self.scans[number], time.perf_counter(), Store())
            if course is not None:
                self._fail(course, "It was cancelled.", cancelled=True)


def _key(scan: FleetScan) -> str:
    """Gives the key of a scan where it needs no model; empty where it does, or the scan cannot be begun."""
    if scan.suspect.architecture is not None or scan.suspect.entry is not None:
        return ""
    # Whatever is wrong with a suspect, the worker says it.
    with suppress(Exception):
        return scan.request().key()
    return ""
