"""Progress bars from events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from aegis.runtime import Event, Report, silent

# What is done of a class before a stage begins, and the stage's share of the work, in hundredths.
SHARES = {"translate": (0, 40), "transplant": (40, 40), "embed": (80, 20)}


@contextmanager
def progress_bar(title: str, quiet: bool) -> Iterator[Report]:
    """A bar for work that reports one stage, such as training."""
    if quiet:
        yield silent
        return
    with _bars() as bars:
        task = bars.add_task(title, total=None)

        def report(event: Event) -> None:
            loss = "" if event.loss is None else f" · loss {event.loss:.3f}"
            bars.update(task, completed=event.step, total=event.total, description=f"{title}{loss}")

        yield report


@contextmanager
def class_bars(classes: int, quiet: bool) -> Iterator[Report]:
    """One bar for a whole scan, and one for every class being examined."""
    if quiet:
        yield silent
        return
    with _bars() as bars:
        yield _ClassReport(bars, classes)


class _ClassReport:
    """Turns events of several classes into bars; the parts of a class count by their usual cost."""

    def __init__(self, bars: Progress, classes: int) -> None:
        self.bars = bars
        self.whole = bars.add_task("robustness", total=100 * classes)
        self.tasks: dict[int, TaskID] = {}
        self.done: dict[int, float] = {}

    def __call__(self, event: Event) -> None:
        if event.label is None:
            return
        before, share = SHARES[event.stage]
        done = before + share * event.step / max(event.total, 1)
        self.done[event.label] = max(done, self.done.get(event.label, 0))
        self.bars.update(self.whole, completed=sum(self.done.values()), description="all classes")
        if event.label not in self.tasks:
            self.tasks[event.label] = self.bars.add_task("", total=100)
        task = self.tasks[event.label]
        self.bars.update(task, completed=done, description=f"class {event.label} · {event.stage}", visible=done < 100)


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description:<24}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
