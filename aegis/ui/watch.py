"""How far a running scan is, written by its threads and read by pages, and how long one will take."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from aegis.core.errors import StoreError
from aegis.core.progress import ScanProgress
from aegis.core.runtime import Event, Runtime
from aegis.core.types import Applicability
from aegis.records.config import ScanConfig
from aegis.records.record import ScanRecord, config_of

# Points of a loss curve that are kept; a longer one is thinned.
CURVE = 240
# Pictures kept of each class: the first and the current ones.
Frames = Float32[np.ndarray, "n c h w"]
Curve = tuple[tuple[int, float], ...]
Kind = Literal["scan", "measurement", "references", "training", "experiment"]


@dataclass(frozen=True, eq=False)
class ClassView:
    """One class being examined.

    Args:
        label: of the class.
        share: how far, in [0, 1].
        stage: the running step.
        started: when, in seconds of ``time.monotonic``.
        curve: step and loss of the present stage.
        first, frames: a few images as they were first seen, and as they are now.
        pictured: the step that showed them last.
    """

    label: int
    share: float
    stage: str
    started: float
    curve: Curve = ()
    first: Frames | None = None
    frames: Frames | None = None
    pictured: str = ""

    def seconds_left(self, now: float) -> float | None:
        """Estimates the remaining time of a class from its pace.

        Args:
            now: seconds on the monotonic clock.

        Returns:
            Seconds; None while there is no pace yet.
        """
        if not 0.05 < self.share < 1:
            return None
        return (now - self.started) * (1 - self.share) / self.share


@dataclass(frozen=True, eq=False)
class View:
    """The state of a scan at one moment.

    Args:
        title: of the scan, for people.
        saying: the running step, for people.
        class_names: of the data, once it is read.
        chosen: labels that are examined.
        whole: how far all of it is, in [0, 1].
        assessed: how far the measuring of robustness is, in [0, 1].
        seconds_left: of the whole, or None.
        measured: accuracy and robustness, once they are known.
        classes: those begun, by label.
        facts: what is scanned and how, by name.
        found: attack success rate of the best trigger of each class that was searched, by label.
        robust: accuracy by perturbation budget, as far as it was measured; 0 is no attack.
    """

    title: str
    saying: str
    class_names: tuple[str, ...]
    chosen: tuple[int, ...]
    whole: float
    assessed: float
    seconds_left: float | None
    measured: Applicability | None
    classes: dict[int, ClassView]
    facts: dict[str, str]
    found: dict[int, float]
    robust: dict[float, float]


def computed_on(runtime: Runtime) -> tuple[str, str]:
    """Gives name and value of the fact that says where and at which precision something is computed."""
    return "Computed on", f"{runtime.device}, {runtime.precision}"


@runtime_checkable
class Progress(Protocol):
    """Is told what is being done, beside the events of steps."""

    def say(self, text: str) -> None:
        """Notes what is being done now."""

    def know(self, class_names: tuple[str, ...], labels: tuple[int, ...] | None, tries: bool) -> None:
        """Notes which classes there are and which of them are examined.

        Args:
            class_names: of all classes.
            labels: of those examined; None for all.
            tries: whether triggers are searched for.
        """

    def measure(self, measured: Applicability) -> None:
        """Notes accuracy and robustness."""

    def note(self, name: str, value: str) -> None:
        """Notes a fact of what is scanned or how."""

    def find(self, label: int, rate: float) -> None:
        """Notes the attack success rate of the best trigger that was found for a class."""


@dataclass
class Watch:
    """Collects events; safe to read from another thread.

    Args:
        title: of the scan, for people.
        kind: a scan, the measurement of accuracy and robustness alone, the making of references, a training, or an
            experiment.
        expected: seconds that all of it is thought to take, which is told until its pace is known.
        asked: what the page's widgets said when it was started.
        facts: what is scanned and how, by name.
    """

    title: str = ""
    kind: Kind = "scan"
    expected: float | None = None
    asked: Mapping[str, object] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    saying: str = "Starting"
    class_names: tuple[str, ...] = ()
    chosen: tuple[int, ...] = ()
    measured: Applicability | None = None
    _progress: ScanProgress = field(default_factory=lambda: ScanProgress(1))
    _classes: dict[int, ClassView] = field(default_factory=dict)
    _found: dict[int, float] = field(default_factory=dict)
    _robust: dict[float, float] = field(default_factory=dict)
    _start: tuple[float, float] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, text: str) -> None:
        """Notes what is being done now."""
        self.saying = text

    def know(self, class_names: tuple[str, ...], labels: tuple[int, ...] | None, tries: bool) -> None:
        """Notes which classes there are and which of them are examined.

        Args:
            class_names: of all classes.
            labels: of those examined; None for all.
            tries: whether triggers are searched for.
        """
        with self._lock:
            self.class_names = class_names
            self.chosen = tuple(range(len(class_names))) if labels is None else labels
            self._progress = ScanProgress.of(len(self.chosen), tries)

    def measure(self, measured: Applicability) -> None:
        """Notes accuracy and robustness."""
        self.measured = measured
        self.say("Examining classes")

    def note(self, name: str, value: str) -> None:
        """Notes a fact of what is scanned or how."""
        with self._lock:
            self.facts[name] = value

    def find(self, label: int, rate: float) -> None:
        """Notes the attack success rate of the best trigger that was found for a class."""
        with self._lock:
            self._found[label] = rate

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        with self._lock:
            self._progress.add(event)
            if self._start is None and (event.label is not None or not self._progress.classes):
                # Cached steps were not computed now and must not count for the pace.
                self._start = now, self._progress.whole
            if event.robust is not None:
                self._robust[event.robust[0]] = event.robust[1]
            if event.label is None:
                return
            share = self._progress.done[event.label]
            known = self._classes.get(event.label) or ClassView(event.label, 0.0, event.stage, now)
            self._classes[event.label] = _with(known, event, share)

    def view(self) -> View:
        """Copies the present state."""
        with self._lock:
            whole, classes = self._progress.whole, dict(self._classes)
            left = None if self._start is None else self._left(whole, *self._start)
            return View(
                self.title,
                self.saying,
                self.class_names,
                self.chosen,
                whole,
                self._progress.assessed,
                left,
                self.measured,
                classes,
                dict(self.facts),
                dict(self._found),
                dict(sorted(self._robust.items())),
            )

    def _left(self, whole: float, since: float, before: float) -> float | None:
        """Seconds left, by the pace; before there is one, by what was expected; None without either."""
        took, gained = time.monotonic() - since, whole - before
        # Steps of such work are few and run side by side: the first ones to end tell nothing of the pace.
        if gained > (0.02 if self.expected is None else 0.15):
            return took * (1 - whole) / gained
        left = 0.0 if self.expected is None else self.expected * (1 - before) - took
        return left if left > 0 else None


def _with(known: ClassView, event: Event, share: float) -> ClassView:
    curve = known.curve if known.stage == event.stage else ()
    if event.loss is not None:
        curve = thinned((*curve, (event.step, event.loss)))
    known = replace(known, share=share, stage=event.stage, curve=curve)
    if event.frames is None:
        return known
    first = event.frames if known.first is None else known.first
    return replace(known, first=first, frames=event.frames, pictured=event.stage)


def thinned(curve: Curve) -> Curve:
    """Leaves out every other point of a curve that has too many of them, but the last."""
    return curve if len(curve) <= CURVE else (*curve[:-1:2], curve[-1])


@dataclass(frozen=True, kw_only=True)
class PlannedScan:
    """A scan, whose images need not have been read yet.

    Args:
        architecture: of the suspect.
        shape: channels, height and width of its images.
        classes: number of all classes.
        chosen: number of classes to test.
        config: settings.
        is_measured: whether its robustness has been measured already.
    """

    architecture: str
    shape: tuple[int, int, int]
    classes: int
    chosen: int
    config: ScanConfig
    is_measured: bool = False


def seconds(task: PlannedScan, records: Sequence[ScanRecord]) -> float | None:
    """Expected time of a scan.

    Args:
        task: the scan.
        records: saved scans, newest first.

    Returns:
        Seconds on the clock, or None if no saved scan is of the same kind.
    """
    times = list(_times(task, records))
    # Steps found in the store took no time, so the longest time is that of a scan that computed them.
    return max(times) if times else None


def _times(task: PlannedScan, records: Sequence[ScanRecord]) -> Iterator[float]:
    wanted, device = _steps(task.config), None
    for record in records:
        kind = record.model.architecture, record.data.shape, len(record.data.class_names)
        if kind != (task.architecture, task.shape, task.classes) or not record.classes:
            continue
        try:
            same = _steps(config_of(record)) == wanted
        except StoreError:
            continue
        # The newest scan tells the device.
        if same and device in (None, record.runtime.device):
            device = record.runtime.device
            assess = 0.0 if task.is_measured else record.seconds.get("assess", 0.0)
            yield assess + record.seconds.get("classes", 0.0) * task.chosen / len(record.classes)


def _steps(config: ScanConfig) -> tuple[object, ...]:
    """Settings of the costly steps, without sizes of triggers, which come from the model and cost no time."""
    trial = config.gather.trigger_search
    sizeless = trial and replace(trial, area=None, radius=None)
    return config.assess, replace(config.gather, trigger_search=sizeless, seed=0), config.embed
