"""Shows progress on standard error: bars in a terminal, now and then a line in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from aegis.cli.output import Printer
from aegis.core.progress import ScanProgress
from aegis.core.runtime import Event, Report, silent

THOUSANDTHS, MANY = 1000, 30
# Seconds between the lines in a log.
INTERVAL = 30.0
# What must be done of the whole before its pace tells how long the rest takes.
TELLING = 0.01

Key = int | None
Show = Callable[[Key, float, str], None]


@contextmanager
def progress_bar(title: str, quiet: bool, after: str = "") -> Iterator[Report]:
    """Shows a progress bar for work of one stage, such as training.

    Args:
        title: beside the bar.
        quiet: show nothing.
        after: title of the work that follows the last step.

    Yields:
        The function that reports progress to the bar.
    """
    with _display(quiet) as show:

        def report(event: Event) -> None:
            done = event.step / max(event.total, 1)
            loss = "" if event.loss is None else f", loss {event.loss:.3f}"
            show(None, done, after if after and done >= 1 else f"{title}{loss}")

        yield silent if quiet else report


@contextmanager
def class_bars(classes: int, tries: bool, quiet: bool) -> Iterator[Report]:
    """Shows one progress bar for a whole scan and one for every class being examined.

    Args:
        classes: number of classes.
        tries: whether triggers are searched for.
        quiet: show nothing.

    Yields:
        The function that reports progress to the bars.
    """
    with _display(quiet) as show:
        yield silent if quiet else _ClassReport(show, ScanProgress.of(classes, tries))


@dataclass
class _ClassReport:
    """Shows a scan's progress, and that of every class in it."""

    show: Show
    progress: ScanProgress

    def __call__(self, event: Event) -> None:
        now = self.progress
        now.add(event)
        if event.label is not None:
            self.show(event.label, now.done[event.label], f"class {event.label}, {event.stage}")
        # Beside many classes, what comes before them is hardly any progress.
        share = f", {event.step / max(event.total, 1):.0%} of that" if now.classes > MANY else ""
        before = ("ranking the classes" if event.stage == "rank" else "robustness") + share
        self.show(None, now.whole, f"{now.finished} of {now.classes} classes" if now.done else before)


@contextmanager
def waiting(text: str, quiet: bool) -> Iterator[None]:
    """Shows a spinner while there is no progress to report.

    Args:
        text: beside it.
        quiet: show nothing.
    """
    out = Printer(stderr=True)
    if quiet or not out.is_terminal:
        yield
        return
    with out.status(text):
        yield


@contextmanager
def _display(quiet: bool) -> Iterator[Show]:
    out = Printer(stderr=True)
    if quiet or not out.is_terminal:
        yield _Lines(out)
        return
    with _columns(out) as bars:
        yield _Bars(bars)


@dataclass
class _Bars:
    """A bar for the whole and one for each part, which goes when it is done."""

    bars: Progress
    tasks: dict[Key, TaskID] = field(default_factory=dict)

    def __call__(self, key: Key, done: float, text: str) -> None:
        if key not in self.tasks:
            self.tasks[key] = self.bars.add_task(text, total=THOUSANDTHS, completed=round(THOUSANDTHS * done))
        self.bars.update(
            self.tasks[key], completed=THOUSANDTHS * done, description=text, visible=key is None or done < 1
        )


@dataclass
class _Lines:
    """A line for the whole, every half minute."""

    out: Printer
    start: tuple[float, float] | None = None
    last: float = 0.0

    def __call__(self, key: Key, done: float, text: str) -> None:
        if key is not None:
            return
        now = time.monotonic()
        if self.start is None:
            # Steps before a resumed run were not done now and must not count for the pace.
            self.start, self.last = (now, done), now
        if now - self.last < INTERVAL:
            return
        self.last = now
        took, gained = now - self.start[0], done - self.start[1]
        left = f", about {took * (1 - done) / gained:.0f} s left" if gained >= TELLING else ""
        self.out.say(f"{text}: {done:.0%}{left}", wrap=False)


def _columns(out: Printer) -> Progress:
    return Progress(
        TextColumn("{task.description:<24}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=out,
        transient=True,
    )
