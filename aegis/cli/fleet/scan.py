"""``aegis fleet scan``: scan many suspects, side by side."""

from __future__ import annotations

import json as text_of
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from aegis.cli.options import MORE, Device, PrecisionOption, Quiet, Seed, option, writable
from aegis.cli.output import COLOURS, Printer, clean, make_table
from aegis.cli.places import Address, Insecure, join_cluster
from aegis.cli.remembered import remembered
from aegis.cli.scan import EXIT_CODES, WORST
from aegis.cli.scan_options import Preset, ReferencesMode
from aegis.core.errors import StoreError
from aegis.core.failures import BAD_INPUT
from aegis.core.text import count_of
from aegis.services.fleet.scanned import NOT_SCANNED, Scanned
from aegis.services.suspect_list import read_suspects

if TYPE_CHECKING:
    from aegis.fleet.executor import Executor

Suspects = Annotated[
    Path,
    typer.Argument(
        metavar="SUSPECTS",
        help="A folder of checkpoints, or a list of them that ends in .csv or .jsonl.",
        show_default=False,
    ),
]
Data = Annotated[
    str | None,
    option("--data", "IMAGES", "Images of suspects for which neither the list nor a card names any."),
]
Jobs = Annotated[int | None, option("--jobs", "N", "Scans side by side; without it, one a core.", MORE, min=1)]
Json = Annotated[
    Path | None,
    typer.Option(
        "--json", metavar="OUT.jsonl", help="Write a line for each suspect as it ends.", callback=writable("--json")
    ),
]


def scan_fleet(
    suspects: Suspects,
    data: Data = None,
    preset_name: Preset = "default",
    seed: Seed = 0,
    json: Json = None,
    jobs: Jobs = None,
    address: Address = None,
    insecure: Insecure = False,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    references: ReferencesMode = "auto",
    quiet: Quiet = False,
) -> None:
    """Scan every checkpoint of a folder or list, several at a time.

    Examples:

        aegis fleet scan models/ --data photos/ --json verdicts.jsonl
        aegis fleet scan suspects.csv --jobs 4

    A list has a row a suspect: checkpoint, and where they are needed architecture, data, preset, seed, mean, std,
    entry, size and channels. One that cannot be scanned becomes a line with the reason and stops no other. Every scan
    is kept in the store, so that the same command, interrupted or not, computes only what is missing.

    Exit codes, of the worst: 0 clean, 3 inconclusive, 2 some could not be scanned, 1 infected.
    """
    from aegis.services.fleet.drive import Drive
    from aegis.services.fleet.journal import Journal
    from aegis.services.fleet.request import FleetScan
    from aegis.store.store import Store

    listed, repeated = read_suspects(suspects)
    out, told = Printer(), Printer(stderr=True)
    if repeated and not quiet:
        told.note(f"{count_of(repeated, 'row')} repeated and scanned once.")
    settings = {"preset": preset_name, "device": device, "precision": precision, "references": references}
    scans = [FleetScan(suspect=one, data=data, seed=seed, **settings) for one in listed]
    executor, place = _executor(jobs, address, insecure, device, told)
    done: list[Scanned] = []
    with ExitStack() as stack:
        lines = stack.enter_context(_opened(json)) if json else None
        stack.enter_context(remembered("fleet scan", suspects))
        stack.callback(lambda: _print_summary(out, done))

        def hear(number: int, scanned: Scanned) -> None:
            # What fills up memory with thousands of suspects is in the store.
            done.append(replace(scanned, record=None))
            if lines is not None:
                _write(lines, scanned)
            if not quiet:
                out.say(f"{len(done)}/{len(scans)} ", clean(str(scanned.suspect.checkpoint)), ": ", *_said(scanned))

        Drive(scans, executor, Journal(Store().folder), hear).run(str(suspects.absolute()), place)
    raise typer.Exit(max((_code(one.outcome) for one in done), key=WORST.index))


def _executor(
    jobs: int | None, address: str | None, insecure: bool, device: str, told: Printer
) -> tuple[Executor, str]:
    """Prepares processes of this machine, or joins a cluster, and says which in words."""
    from aegis.services.fleet.work import answer

    if address is None:
        from aegis.core.runtime import cores
        from aegis.fleet.local import Processes

        # Classes of one suspect run side by side as well, so that there is work for more than one a suspect.
        count = jobs or cores()
        return Processes(answer, count), f"{count} process{'es' if count > 1 else ''} of this machine"
    executor, where = join_cluster(answer, address, insecure, device=device, jobs=jobs, told=told)
    return executor, f"Ray at {where}"


def _opened(path: Path) -> IO[str]:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"to write {path}", error.strerror or str(error), "Name another file with --json.") from error


def _write(lines: IO[str], scanned: Scanned) -> None:
    record = scanned.record
    row: dict[str, object] = scanned.suspect.model_dump(mode="json", exclude_none=True)
    if record is None:
        row["error"] = scanned.message
    else:
        row |= {
            "verdict": record.verdict,
            "flagged": list(record.flagged_classes),
            "sentence": record.sentence,
            "scan": scanned.key,
            "found": scanned.found,
        }
    lines.write(text_of.dumps(row | {"seconds": round(scanned.seconds, 1)}) + "\n")
    lines.flush()


def _said(scanned: Scanned) -> Sequence[str | tuple[str, str]]:
    record = scanned.record
    if record is None:
        return [("not scanned", "bold"), f". {clean(scanned.message, 1000)}"]
    where = f", class {', '.join(map(str, record.flagged_classes))}" if record.flagged_classes else ""
    took = "found again" if scanned.found else f"{scanned.seconds:.0f} s"
    return [(record.verdict, COLOURS[record.verdict]), f"{where} ({took})"]


def _print_summary(out: Printer, done: Sequence[Scanned]) -> None:
    table = make_table(("outcome",), ("suspects", "seconds"))
    for outcome in (*EXIT_CODES, NOT_SCANNED):
        of_it = [one for one in done if one.outcome == outcome]
        if of_it:
            table.add_row(outcome, str(len(of_it)), f"{sum(one.seconds for one in of_it):.0f}")
    out.show(table)


def _code(outcome: str) -> int:
    return EXIT_CODES.get(outcome, BAD_INPUT)
