"""What commands that run an experiment on suspects of the bank share: options, and the run with its lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar, runtime_checkable

import typer

from aegis.cli.options import choice, flag, option
from aegis.cli.output import Printer
from aegis.cli.remembered import remembered
from aegis.fleet.tasks import Task, run_all
from aegis.lab.bank.record import BankRecord
from aegis.lab.bank.suspects import BREADTH_SETS, GROUPS, HALVES

if TYPE_CHECKING:
    from aegis.experiments.bank_scans import Trial
    from aegis.fleet.executor import Executor

Set = Annotated[
    str | None, choice("--set", (*GROUPS, *HALVES, *BREADTH_SETS), "Which suspects, as in aegis bank scan.")
]
Only = Annotated[str | None, option("--only", "NAMES", "Only these, with commas between them.")]
Summary = Annotated[bool, flag("--summary", "Run nothing; only show what came of what ran.")]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        help="Side by side; without it, one at a time here, or all that a cluster holds.",
        min=1,
        show_default=False,
    ),
]


R = TypeVar("R", covariant=True)


@runtime_checkable
class BankTask(Task[R], Protocol[R]):
    """An experiment on a suspect of the bank."""

    @property
    def trial(self) -> Trial:
        """The suspect."""


def outcomes(
    command: str,
    tasks: Sequence[BankTask[R]],
    out: Printer,
    said: Callable[[R, bool], str],
    *,
    summary: bool,
    jobs: int | None,
    results: Path,
    place: Callable[[], Executor | None],
) -> list[tuple[BankRecord, R]]:
    """Gives what is kept of tasks and, unless only that is asked for, computes the rest, with a line for each.

    Args:
        command: under which it is remembered while it runs.
        tasks: the runs.
        out: prints the lines.
        said: writes a line after the suspect's name, given the outcome and whether it was computed now.
        summary: compute nothing.
        jobs: processes side by side, at least 1; None for one.
        results: the folder of all outcomes.
        place: joins a cluster if the work is to be done there, and else gives None; from ``place_of_tasks``.

    Returns:
        Suspects with outcomes: first those kept, then others as they finished.

    Raises:
        AegisError: of the first task that fails.
    """
    if summary:
        return [(task.trial.suspect, record) for task in tasks if (record := task.find())]
    found = []
    with remembered(command, results):
        for i, record, now in run_all(tasks, jobs or 1, executor=place()):
            suspect = tasks[i].trial.suspect
            found.append((suspect, record))
            out.say((suspect.name, "bold"), said(record, now))
    return found


def say_took(seconds: float, now: bool) -> str:
    """Says how long a run took, or that it need not run.

    Args:
        seconds: that it took.
        now: whether it was computed now.
    """
    return f"{seconds:.0f} s" if now else "was there"
