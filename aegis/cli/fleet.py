"""``aegis fleet``: scan many suspects, side by side."""

from __future__ import annotations

import json as text_of
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from aegis.cli.options import MORE, Device, PrecisionOption, Quiet, Seed, option, writable
from aegis.cli.output import COLOURS, Printer, clean, make_table
from aegis.cli.remembered import remembered, this_command
from aegis.cli.scan import EXIT_CODES, WORST
from aegis.cli.scan_options import Preset, ReferencesMode
from aegis.core.errors import StoreError
from aegis.core.failures import BAD_INPUT
from aegis.core.text import count_of
from aegis.services.suspect_list import read_suspects

if TYPE_CHECKING:
    from aegis.services.fleet import Scanned

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
    from aegis.core.runtime import cores
    from aegis.services.fleet import FleetScan, scan_all

    listed, repeated = read_suspects(suspects)
    out, told = Printer(), Printer(stderr=True)
    if repeated and not quiet:
        told.note(f"{count_of(repeated, 'row')} repeated and scanned once.")
    settings = {"preset": preset_name, "device": device, "precision": precision, "references": references}
    scans = [FleetScan(suspect=one, data=data, seed=seed, command=this_command(), **settings) for one in listed]
    done: list[Scanned] = []
    with ExitStack() as stack:
        lines = stack.enter_context(_opened(json)) if json else None
        stack.enter_context(remembered("fleet scan", suspects))
        for _, scanned in scan_all(scans, min(jobs or cores(), len(scans))):
            done.append(scanned)
            if lines is not None:
                _write(lines, scanned)
            if not quiet:
                out.say(f"{len(done)}/{len(scans)} ", clean(str(scanned.suspect.checkpoint)), ": ", *_said(scanned))
    _print_summary(out, done)
    raise typer.Exit(max(map(_code, done), key=WORST.index))


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
    for outcome in (*EXIT_CODES, "not scanned"):
        of_it = [one for one in done if (one.record.verdict if one.record else "not scanned") == outcome]
        if of_it:
            table.add_row(outcome, str(len(of_it)), f"{sum(one.seconds for one in of_it):.0f}")
    out.show(table)


def _code(scanned: Scanned) -> int:
    return BAD_INPUT if scanned.record is None else EXIT_CODES[scanned.record.verdict]


FLEET = {"scan": scan_fleet}
