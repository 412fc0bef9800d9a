"""Carries out orders in a process of their own, so that pages stay quick beside a scan and outlive one that dies."""

from __future__ import annotations

from functools import partial

from aegis.core.runtime import Event
from aegis.core.types import Applicability
from aegis.fleet.apart import Tell, calling, run_apart
from aegis.ui.caches import UploadCache
from aegis.ui.jobs import Reporter
from aegis.ui.order import Order, Outcome, carry_out, keep_uploads
from aegis.ui.uploads import hidden
from aegis.ui.watch import Watch


def carry_out_apart(order: Order, report: Reporter, watch: Watch, upload_cache: UploadCache) -> Outcome:
    """Measures or scans in another process.

    Args:
        order: what to scan and how.
        report: of the job, which ends the process when it is cancelled.
        watch: collects progress for the page.
        upload_cache: measurements go there as soon as they are made, and uploads at the end.

    Returns:
        The key and record of the scan, if there was one.

    Raises:
        AegisError: if something does not fit, or the process ends by itself.
    """

    def measure(measured: Applicability) -> None:
        watch.measure(measured)
        upload_cache.measured[order.fingerprint] = measured

    hear = calling(report=report, say=watch.say, know=watch.know, measure=measure, note=watch.note, find=watch.find)
    with hidden(order.workspace):
        outcome = run_apart(partial(_work, order), hear, report.check)
    keep_uploads(order, outcome, upload_cache)
    return outcome


def _work(order: Order, tell: Tell) -> Outcome:
    told = _Told(tell)
    return carry_out(order, told.report, told)


class _Told:
    """Passes on what is said of progress."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def report(self, event: Event) -> None:
        """Passes an event on."""
        self._tell(("report", (event,)))

    def say(self, text: str) -> None:
        """Passes on what is being done."""
        self._tell(("say", (text,)))

    def know(self, class_names: tuple[str, ...], labels: tuple[int, ...] | None, tries: bool) -> None:
        """Passes on which classes there are."""
        self._tell(("know", (class_names, labels, tries)))

    def measure(self, measured: Applicability) -> None:
        """Passes on accuracy and robustness."""
        self._tell(("measure", (measured,)))

    def note(self, name: str, value: str) -> None:
        """Passes on a fact."""
        self._tell(("note", (name, value)))

    def find(self, label: int, rate: float) -> None:
        """Passes on what was found for a class."""
        self._tell(("find", (label, rate)))
