"""``aegis verify``: is what is kept what was written, and does a scan that is repeated say the same?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aegis.cli.options import Arch, Mean, Quiet, Std, Workers, option
from aegis.cli.output import Printer, clean
from aegis.core.errors import ConfigError
from aegis.core.text import count_of
from aegis.store.eviction import say_size
from aegis.store.store import Store

if TYPE_CHECKING:
    from aegis.records.record import ScanRecord
    from aegis.store.audit import Difference

DIFFERENT = 1
# Number of differing values that are shown.
SHOWN = 20

Result = Annotated[
    Path | None,
    typer.Argument(
        metavar="RESULT.json",
        help="A result of aegis scan --json, to be repeated. Without it, the store is looked at.",
        show_default=False,
    ),
]
CheckpointOption = Annotated[
    Path | None,
    option("--checkpoint", "FILE", "The model, where it is neither beside the result nor bundled with AEGIS."),
]
Data = Annotated[
    str | None, option("--data", "SOURCE", "The images, where they are no longer found under their recorded name.")
]


def verify(
    result: Result = None,
    checkpoint: CheckpointOption = None,
    data: Data = None,
    arch: Arch = None,
    mean: Mean = None,
    std: Std = None,
    workers: Workers = None,
    quiet: Quiet = False,
) -> None:
    """Look for damage in what is kept; or repeat a scan from its record, and compare.

    Examples:

        aegis verify
        aegis verify result.json
        aegis verify result.json --checkpoint model.safetensors --data photos/

    Without a result, every file of the store is held against its digest, and every saved scan is read. With one, the
    scan is computed anew with the recorded settings, and compared value by value, apart from times.

    Exit codes: 0 nothing is damaged, or the same came out; 1 something is damaged, or differs; 2 bad input.
    """
    if result is None:
        if any(given is not None for given in (checkpoint, data, arch, mean, std, workers)):
            raise ConfigError(
                "a result to be repeated", "options of one without it", "Name the file that aegis scan --json wrote."
            )
        raise typer.Exit(_verify_store(quiet))
    # Both import what scans need.
    from aegis.cli.repeat import repeat
    from aegis.records.record import read_record

    recorded = read_record(result)
    found = repeat(recorded, result, checkpoint, data, arch=arch, mean=mean, std=std, workers=workers, quiet=quiet)
    raise typer.Exit(_compare(recorded, found, quiet))


def _verify_store(quiet: bool) -> int:
    store, out = Store(), Printer()
    found = store.check()
    for damage in found.damage:
        out.say(("Damaged: ", "bold red"), f"{clean(damage.what)}, {clean(damage.why)}", wrap=False)
    if found.damage:
        out.say("The next scan that needs such a file computes it anew; other results are not touched.")
    if not quiet:
        others = f", {found.others} of them of another version of AEGIS" if found.others else ""
        out.say(
            f"{len(found.damage)} damaged. Compared: {count_of(found.files, 'file')} ({say_size(found.bytes)}), "
            f"{count_of(found.scans, 'saved scan')}{others}"
        )
    return DIFFERENT if found.damage else 0


def _compare(recorded: ScanRecord, found: ScanRecord, quiet: bool) -> int:
    from aegis.models.steadiness import RANDOM
    from aegis.store.audit import differences, surroundings

    out, changed = Printer(), differences(recorded, found)
    if changed:
        differ = "differs" if len(changed) == 1 else "differ"
        out.say(
            ("Not the same: ", "bold red"), f"{count_of(len(changed), 'value')} {differ}. {clean(found.sentence, 5000)}"
        )
        _print(out, changed)
    else:
        out.say(("The same, ", "bold green"), f"apart from times. {clean(found.sentence, 5000)}")
    if (beside := surroundings(recorded, found)) and not quiet:
        out.line()
        out.say("It did not run on the same:")
        _print(out, beside)
    if changed and RANDOM in found.model.reading and not quiet:
        out.note("The model's answers differ from call to call, so that no two scans of it are the same.")
    if recorded.control is not None and not quiet:
        out.note("The positive control was not repeated.")
    return DIFFERENT if changed else 0


def _print(out: Printer, changed: list[Difference]) -> None:
    for one in changed[:SHOWN]:
        out.say(f"  {clean(one.name)}: {clean(one.recorded)} then, {clean(one.found)} now")
    if len(changed) > SHOWN:
        out.note(f"  and {len(changed) - SHOWN} more")
