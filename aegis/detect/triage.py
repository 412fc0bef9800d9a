"""Examines the likeliest targets of a backdoor first, for as long as there is time.

A backdoor's trigger is small, so the class that it leads to is reached by a smaller universal perturbation or patch
than others are. How often the target of a backdoor comes first was measured (docs/results.md). A class that was not
examined is never called benign.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from aegis.core.runtime import Event, Report, Runtime, silent
from aegis.core.threads import side_by_side
from aegis.core.types import Dataset
from aegis.detect.bounds import MANY_CLASSES
from aegis.detect.early import is_hopeless
from aegis.detect.scan import STEPS, ScanResult, Work
from aegis.detect.screen import relative_sizes
from aegis.detect.steps import Steps
from aegis.detect.verdict import ClassResult, judge_all, objections
from aegis.models.load import Suspect
from aegis.records.config import ScanConfig, Triage
from aegis.records.record import TriageRecord

# So many classes are examined before a flagged one ends the triage: it is judged beside the second of the others.
COMPARED = 3


def triage(
    suspect: Suspect,
    data: Dataset,
    config: ScanConfig | None = None,
    how: Triage | None = None,
    *,
    runtime: Runtime | None = None,
    steps: Steps = STEPS,
    report: Report = silent,
) -> ScanResult:
    """Ranks all classes, and examines them in that order until one is flagged or the time is over.

    Args:
        suspect, data, config, runtime, steps: as in ``scan``.
        how: how long; None for no limit.
        report: receives events of all stages; may raise ``Cancelled``.

    Returns:
        The verdict: never *clean* unless all classes were examined.

    Raises:
        AegisError: if model, images and settings do not fit together.
    """
    how = how or Triage()
    deadline = Deadline(None if how.only is not None else how.budget)
    work = Work.begin(suspect, data, config, suspect.classifier.labels, runtime, steps, deadline.watched(report))
    seen = work.first_look()
    if seen is not None and is_hopeless(seen, len(data.test), work.config.verdict):
        return work.result(seen, [])
    many = suspect.classifier.classes > MANY_CLASSES
    sizes = _screened(work) if many else ()
    deadline.is_set = many
    try:
        if many and not how.measured:
            raise OutOfTime
        measured, work = work.measured()
    except OutOfTime:
        assert seen is not None, "many classes are looked at first"
        return work.result(seen, [], triage=TriageRecord(sizes=sizes, budget=how.budget))
    sizes = sizes or relative_sizes(measured.universal_radii, measured.universal_areas)
    ranking = TriageRecord(sizes=sizes, budget=how.budget)
    if objections(measured, work.config.verdict, suspect.classifier.labels):
        return work.result(measured, [], triage=ranking)
    deadline.is_set = True
    return work.result(measured, _examined(work, ranking, how, deadline), triage=ranking)


def _screened(work: Work) -> tuple[float, ...]:
    model = work.suspect.classifier.frozen(work.runtime, once=True)
    with work.clock("rank"):
        return work.steps.screen(model, work.data, report=work.report)


def _examined(work: Work, ranking: TriageRecord, how: Triage, deadline: Deadline) -> list[ClassResult]:
    """Examines classes in their order, as many as time allows."""
    turns = _Turns(work, deadline, until_flagged=how.only is None)
    with work.clock("classes"):
        order = ranking.order if how.only is None else how.only
        found = side_by_side(turns.take, order, work.runtime.workers, work.stop)
    return [one for one in found if one is not None]


@dataclass(eq=False)
class _Turns:
    """Examines one class after another, and stops once enough is known or time is over."""

    work: Work
    deadline: Deadline
    until_flagged: bool
    found: list[ClassResult] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, label: int) -> ClassResult | None:
        """Examines a class, or gives None where it is not examined to its end."""
        if self.deadline.is_over:
            return None
        try:
            one = self.work.examine(label)
        except OutOfTime:
            return None
        with self.lock:
            self.found.append(one)
            if self.until_flagged and self._flagged():
                # What other threads began may take longer than anybody wants to wait.
                self.deadline.pass_now()
        return one

    def _flagged(self) -> bool:
        records = [one.record for one in self.found]
        judged = judge_all(records, self.work.data.class_names, self.work.config.verdict)
        return len(judged) >= COMPARED and any(one.flagged for one in judged)


class OutOfTime(Exception):
    """Ends the work on a class once the time is over."""


@dataclass(eq=False)
class Deadline:
    """Ends work when its time is over.

    Args:
        seconds: from now on, or None.
        is_set: whether work ends then.
    """

    seconds: float | None
    is_set: bool = False
    _begin: float = field(default_factory=lambda: time.monotonic(), init=False)

    @property
    def is_over(self) -> bool:
        """Whether work ends now."""
        return self.is_set and self.seconds is not None and time.monotonic() - self._begin > self.seconds

    def pass_now(self) -> None:
        """Ends work at once."""
        self.seconds, self.is_set = 0.0, True

    def watched(self, report: Report) -> Report:
        """Wraps a callback so that it ends the work that reports to it once the time is over.

        Args:
            report: the callback.

        Returns:
            A callback that raises ``OutOfTime``.
        """

        def watching(event: Event) -> None:
            if self.is_over:
                raise OutOfTime
            report(event)

        return watching
