"""The state of a running scan, written by its threads and read by pages."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float32

from aegis.core.progress import ScanProgress
from aegis.core.runtime import Event
from aegis.core.types import Applicability

# Points of a loss curve that are kept; a longer one is thinned.
CURVE = 240
# Pictures kept of each class: the first and the current ones.
Frames = Float32[np.ndarray, "n c h w"]
Curve = tuple[tuple[int, float], ...]


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
    """

    label: int
    share: float
    stage: str
    started: float
    curve: Curve = ()
    first: Frames | None = None
    frames: Frames | None = None

    def seconds_left(self, now: float) -> float | None:
        """Estimate the remaining time of a class from its pace.

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


@dataclass
class Watch:
    """Collects events; safe to read from another thread.

    Args:
        title: of the scan, for people.
        measure_only: whether it ends once accuracy and robustness are known.
    """

    title: str = ""
    measure_only: bool = False
    saying: str = "Starting"
    class_names: tuple[str, ...] = ()
    chosen: tuple[int, ...] = ()
    measured: Applicability | None = None
    _progress: ScanProgress = field(default_factory=lambda: ScanProgress(1))
    _classes: dict[int, ClassView] = field(default_factory=dict)
    _start: tuple[float, float] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, text: str) -> None:
        """Note what is being done now."""
        self.saying = text

    def know(self, class_names: tuple[str, ...], labels: tuple[int, ...] | None, tries: bool) -> None:
        """Note which classes there are and which of them are examined.

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
        """Note accuracy and robustness."""
        self.measured = measured
        self.say("Examining classes")

    def __call__(self, event: Event) -> None:
        now = time.monotonic()
        with self._lock:
            self._progress.add(event)
            if event.label is None:
                return
            if self._start is None:
                # Cached steps were not computed now and must not count for the pace.
                self._start = now, self._progress.whole
            share = self._progress.done[event.label]
            known = self._classes.get(event.label) or ClassView(event.label, 0.0, event.stage, now)
            self._classes[event.label] = _with(known, event, share)

    def view(self) -> View:
        """Copy the present state.

        Returns:
            The copy.
        """
        with self._lock:
            whole, classes = self._progress.whole, dict(self._classes)
            left = None
            if self._start is not None:
                took, gained = time.monotonic() - self._start[0], whole - self._start[1]
                left = took * (1 - whole) / gained if gained > 0.02 else None
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
            )


def _with(known: ClassView, event: Event, share: float) -> ClassView:
    curve = known.curve if known.stage == event.stage else ()
    if event.loss is not None:
        curve = (*curve, (event.step, event.loss))
        if len(curve) > CURVE:
            curve = (*curve[:-1:2], curve[-1])
    frames = known.frames if event.frames is None else event.frames
    first = frames if known.first is None else known.first
    return replace(known, share=share, stage=event.stage, curve=curve, first=first, frames=frames)
