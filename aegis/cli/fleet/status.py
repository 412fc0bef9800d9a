"""``aegis fleet status`` and ``aegis fleet cancel``: how far fleets are, and the end of one."""

from __future__ import annotations

import json as text_of
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aegis.cli.options import flag
from aegis.cli.output import Printer, clean, make_table
from aegis.core.errors import ConfigError
from aegis.core.text import count_of, minute, spoken
from aegis.services.fleet.journal import Journal
from aegis.services.fleet.overview import Overview, overviews
from aegis.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

Fleet = Annotated[
    str | None,
    typer.Argument(metavar="FLEET", help="The first digits of one; without it, the latest.", show_default=False),
]
Json = Annotated[bool, flag("--json", "A line of JSON a suspect instead of a table.")]
Suspect = Annotated[
    list[Path] | None,
    typer.Option("--suspect", metavar="FILE", help="Cancel this suspect only; repeat it for several."),
]
# Fleets in the table.
SHOWN = 20


def show_fleets(fleet: Fleet = None, json: Json = False) -> None:
    """Show how far fleets are: suspects by state and verdict, and the time left.

    Examples:

        aegis fleet status
        aegis fleet status 3f2a --json

    Fleets that were interrupted go on when their command is given again.
    """
    journal = Journal(Store().folder)
    known = overviews(journal, time.time())
    if json:
        one = _chosen(known, fleet)
        for state in journal.suspects(one.run.id):
            typer.echo(text_of.dumps(asdict(state)))
        return
    out = Printer()
    if not known:
        out.say("No fleet yet. Start one: aegis fleet scan FOLDER.")
        return
    table = make_table(("fleet", "begun (UTC)", "where", "suspects of", "state", "suspects", "verdicts"), ("left",))
    for one in known[:SHOWN] if fleet is None else [_chosen(known, fleet)]:
        run = one.run
        table.add_row(
            run.id[:8],
            minute(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(run.begun))),
            run.place,
            clean(run.source, 60),
            one.state,
            _counted(one.states),
            _counted(one.verdicts),
            "" if one.left is None else spoken(one.left),
        )
    out.show(table)


def cancel_fleet(fleet: Fleet = None, suspect: Suspect = None) -> None:
    """End a fleet that runs, or some of its suspects; what was finished is kept.

    Examples:

        aegis fleet cancel
        aegis fleet cancel 3f2a --suspect models/large.pt

    The command that started it ends as if it was interrupted, with exit code 130.
    """
    journal = Journal(Store().folder)
    running = [one for one in overviews(journal, time.time()) if one.run.alive]
    if not running:
        raise ConfigError("a fleet that runs", "none", "See aegis fleet status.")
    if fleet is None and len(running) > 1:
        raise ConfigError(
            "the fleet that is meant",
            f"{len(running)} that run",
            f"Name one: {', '.join(o.run.id[:8] for o in running)}.",
        )
    run = _chosen(running, fleet).run
    if suspect is None:
        journal.cancel(run.id)
        Printer().say("The fleet ends within a second. What was finished is kept.")
        return
    numbers = [_number(journal, run.id, path) for path in suspect]
    journal.cancel(run.id, numbers)
    Printer().say(f"{count_of(len(numbers), 'suspect')} of it ended.")


def _chosen(known: Sequence[Overview], fleet: str | None) -> Overview:
    found = [one for one in known if fleet is None or one.run.id.startswith(fleet)]
    if not found or (fleet is not None and len(found) > 1):
        got = f"{len(found)} of them" if found else "none"
        raise ConfigError(f"a fleet that begins with {fleet}" if fleet else "a fleet", got, "See aegis fleet status.")
    return found[0]


def _number(journal: Journal, run: str, path: Path) -> int:
    for state in journal.suspects(run):
        if Path(state.file).absolute() == path.absolute():
            return state.number
    raise ConfigError(f"a suspect of fleet {run[:8]}", str(path), f"See aegis fleet status {run[:8]} --json.")


def _counted(numbers: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in numbers.items())
