"""``aegis bank``: suspects to try a detector on, made, listed and scanned."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from aegis.cli.options import MORE, Device, PrecisionOption, choice, option
from aegis.cli.output import Printer
from aegis.detect.config import PRESETS
from aegis.errors import ConfigError
from aegis.lab.bank import GROUPS, Entry, choose, read_bank
from aegis.lab.bank_record import RESULTS, BankRecord, read_bank_record
from aegis.lab.recipes import RECIPES

if TYPE_CHECKING:
    from aegis.experiments.tally import Case, Tally

Set = Annotated[
    str | None,
    choice(
        "--set",
        GROUPS,
        "Which suspects: paper, its fifteen robust ones; standard, their twins trained without attacks; control, with "
        "false labels and no trigger; proving, on which no setting was chosen.",
    ),
]
Only = Annotated[str | None, option("--only", "NAMES", "Only these, with commas between them.")]
Training = Annotated[
    str,
    choice(
        "--training", RECIPES, "How they are trained: quick, in minutes on two cores, or as in the paper, for a GPU."
    ),
]
Folder = Annotated[
    Path | None,
    option("--folder", "FOLDER", "Where the checkpoints are, instead of the project's own folders.", MORE),
]
Results = Annotated[
    Path,
    typer.Option(
        "--results",
        metavar="FOLDER",
        help="Where records and outcomes are kept, instead of the project's own folder.",
        show_default=False,
        rich_help_panel=MORE,
    ),
]
Preset = Annotated[str, choice("--preset", PRESETS, "Settings of the scans.")]
Seeds = Annotated[str, typer.Option("--seeds", metavar="SEEDS", help="Of the scans: 0, or 0-4, or 1,3.")]
Jobs = Annotated[int | None, option("--jobs", "N", "Processes side by side.", MORE, min=1)]
Summary = Annotated[bool, typer.Option("--summary", help="Scan nothing; only show what came of the scans there are.")]


def show_list(
    set_name: Set = None, only: Only = None, training: Training = "quick", results: Results = RESULTS
) -> None:
    """List the suspects of the bank with what was measured of them.

    Examples:

        aegis bank list
        aegis bank list --set proving

    Success is the share of images of other classes that the trigger turns into its target, lift how much more that is
    than without it, precision the accuracy under attack (L2, 0.5).
    """
    entries = choose(read_bank(), _groups(set_name), _names(only))
    records = [read_bank_record(entry.name, training, results) for entry in entries]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("suspect", "set", "architecture", "triggers"):
        table.add_column(heading)
    for heading in ("accuracy", "precision", "success", "lift", "KB", "s"):
        table.add_column(heading, justify="right")
    for entry, record in zip(entries, records, strict=True):
        table.add_row(entry.name, entry.group, entry.architectures[training], _triggers(entry), *_measured(record))
    out, made = Printer(), [record for record in records if record]
    out.show(table)
    spent, size = sum(record.seconds or 0 for record in made), sum(record.size for record in made)
    out.say((f"{len(made)} of {len(entries)} made, {size / 1e6:.1f} MB, {spent / 60:.0f} minutes of training", "dim"))


def train_bank(
    set_name: Set = None,
    only: Only = None,
    training: Training = "quick",
    jobs: Jobs = None,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    folder: Folder = None,
    results: Results = RESULTS,
) -> None:
    """Train suspects of the bank; what is there already is left alone.

    Examples:

        aegis bank train --only mnist_clean,mnist_static
        aegis bank train --set paper --training paper --device cuda

    The recipes are in aegis/lab/bank.toml, and the data sets are found as aegis train finds them. Interrupted at any
    moment, the same command goes on from the last epoch. What was measured is kept in results/bank.
    """
    from aegis.lab.bank_train import Workshop

    out = Printer()
    entries = choose(read_bank(), _groups(set_name), _names(only))
    workshop = Workshop(preset=training, folder=folder, results=results, device=device, precision=precision)
    for record, now in workshop.make_all(entries, jobs):
        took = f"{record.seconds:.0f} s" if now and record.seconds is not None else "was there"
        metrics = ", ".join(f"{name.replace('_', ' ')} {value:.1%}" for name, value in record.metrics.items())
        out.say((record.name, "bold"), f": {metrics} ({took})")


def scan_bank(
    set_name: Set = None,
    only: Only = None,
    preset: Preset = "default",
    seeds: Seeds = "0",
    jobs: Jobs = 1,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    training: Training = "quick",
    folder: Folder = None,
    results: Results = RESULTS,
    summary: Summary = False,
) -> None:
    """Scan suspects of the bank, and hold what is said against what is true.

    Examples:

        aegis bank scan --set paper --seeds 0-4
        aegis bank scan --set proving --jobs 2
        aegis bank scan --set paper --summary

    Every outcome is kept in results/scans, so that the same command does only what is missing. Suspects that are not
    made yet are left out. Without a set or names, all are scanned.
    """
    from aegis.experiments.trials import run_all, trials_of

    out, chosen = Printer(), _seeds(seeds)
    entries = choose(read_bank(), _groups(set_name), _names(only))
    known = [(read_bank_record(e.name, training, results), e.path(training, folder)) for e in entries]
    suspects = [(record, path) for record, path in known if record is not None and path.exists()]
    if not suspects:
        raise ConfigError("suspects that are made", "none of these", "Make them with: aegis bank train.")
    trials = trials_of(suspects, preset, chosen, results)
    if summary:
        outcomes = [(trial, found) for trial in trials if (found := trial.find()) is not None]
    else:
        outcomes = []
        for trial, record, now in run_all(trials, jobs or 1, device, precision):
            outcomes.append((trial, record))
            if now:
                accused = ", ".join(map(str, record.suspected_classes)) or "none"
                out.say((trial.name, "bold"), f", seed {trial.seed}: {record.verdict}, accused: {accused}")
    _print_summary(_cases({record.name: record for record, _ in suspects}, outcomes), out)


def _cases(suspects: dict[str, BankRecord], outcomes: Iterable[tuple[object, object]]) -> list[Case]:
    from aegis.detect.record import ScanRecord
    from aegis.experiments.tally import Case
    from aegis.experiments.trials import Trial

    scans: dict[str, list[ScanRecord]] = {}
    for trial, record in outcomes:
        assert isinstance(trial, Trial)
        assert isinstance(record, ScanRecord)
        scans.setdefault(trial.name, []).append(record)
    return [Case(suspects[name], tuple(found)) for name, found in scans.items()]


def _print_summary(cases: list[Case], out: Printer) -> None:
    from aegis.experiments.tally import OUTCOMES, confusion, tallies

    if not cases:
        out.say("No scans yet.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim", title="Scans", title_justify="left")
    table.add_column("in truth")
    for outcome in OUTCOMES:
        table.add_column(outcome, justify="right")
    for truth, row in confusion(cases).items():
        table.add_row(truth, *(str(row[outcome]) for outcome in OUTCOMES))
    out.line()
    out.show(table)
    out.line()
    out.show(_tally_table(tallies(cases)))
    seeds = max(len(case.scans) for case in cases)
    out.say(
        (
            f"Models, each once, with 95% intervals (Clopper-Pearson): detected, named and cleared in every one of at "
            f"most {seeds} seeds, accused (an honest class) and inconclusive in any.",
            "dim",
        )
    )
    for case in cases:
        for scan in case.scans:
            wrong = _wrong(case, scan)
            if wrong:
                out.say(f"{case.suspect.name}, seed {scan.config['gather']['seed']}: {wrong}")


def _wrong(case: Case, scan: object) -> str:
    from aegis.detect.record import ScanRecord

    assert isinstance(scan, ScanRecord)
    outcome, accused = case.outcome(scan), ", ".join(map(str, sorted(case.accused(scan))))
    right = "named" if case.suspect.infected else "clean"
    parts = [] if outcome == right else [f"{outcome} ({case.kind}, {case.strength})"]
    return "; ".join([*parts, *([f"accuses honest {accused}"] if accused else [])])


def _tally_table(found: list[Tally]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", title="Models", title_justify="left")
    table.add_column("which")
    for heading in ("detected", "named", "accused", "inconclusive", "cleared"):
        table.add_column(heading, justify="right")
    for one in found:
        rates = (one.detected, one.named, one.accused, one.inconclusive, one.cleared)
        table.add_row(one.title, *map(str, rates))
    return table


def _groups(set_name: str | None) -> list[str]:
    return [] if set_name is None else [set_name]


def _names(only: str | None) -> list[str]:
    return [] if only is None else [name.strip() for name in only.split(",") if name.strip()]


def _seeds(text: str) -> list[int]:
    seeds: list[int] = []
    for part in text.split(","):
        low, _, high = part.strip().partition("-")
        if not (low.isascii() and low.isdigit() and (high or low).isascii() and (high or low).isdigit()):
            raise ConfigError("seeds such as 0, 0-4 or 1,3", repr(text), "Correct --seeds.")
        seeds += range(int(low), int(high or low) + 1)
    return list(dict.fromkeys(seeds))


def _triggers(entry: Entry) -> str:
    return ", ".join(
        f"{t.kind} → {'the next' if t.all_to_all else t.target}{'' if t.source is None else f' from {t.source}'}"
        for t in entry.triggers
    )


def _measured(record: BankRecord | None) -> tuple[str, ...]:
    if record is None:
        return ("not made", "", "", "", "", "")
    shares = (
        record.metrics.get(name)
        for name in ("accuracy", "adversarial_precision", "attack_success_other_classes", "attack_success_lift")
    )
    numbers = ("" if share is None else f"{share:.1%}" for share in shares)
    return (*numbers, f"{record.size / 1000:.0f}", "" if record.seconds is None else f"{record.seconds:.0f}")


BANK: dict[str, Callable[..., None]] = {"list": show_list, "train": train_bank, "scan": scan_bank}
