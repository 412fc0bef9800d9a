"""``aegis bank``: make, list and scan suspects to try a detector on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from aegis.cli.bank.calibrate import calibrate
from aegis.cli.bank.filters import filters
from aegis.cli.bank.rivals import rivals
from aegis.cli.bank.spaces import spaces
from aegis.cli.bank.summary import print_coverage, print_located, print_summary
from aegis.cli.bank.sweep import sweep
from aegis.cli.bank.triage import triage
from aegis.cli.options import MORE, Device, PrecisionOption, Results, Training, choice, flag, names, option
from aegis.cli.output import Printer, make_table
from aegis.cli.places import Address, Insecure, place_of_tasks
from aegis.cli.remembered import remembered
from aegis.core.errors import ConfigError
from aegis.core.failures import explain
from aegis.core.runtime import MAX_SEED
from aegis.detect.verdict import RULES
from aegis.lab.bank.record import RESULTS, BankRecord, made_record, read_bank_record
from aegis.lab.bank.suspects import BREADTH_SETS, GROUPS, HALVES, Entry, choose, read_bank, with_bases
from aegis.records.config import Rule
from aegis.records.presets import PRESETS

if TYPE_CHECKING:
    from aegis.experiments.bank_scans import Trial
    from aegis.records.record import ScanRecord

Set = Annotated[
    str | None,
    choice(
        "--set",
        (*GROUPS, *HALVES, *BREADTH_SETS),
        "Which suspects: paper, its fifteen robust ones; standard, their twins trained without attacks; control, with "
        "false labels and no trigger; proving, of all kinds, or its halves: calibration, from which thresholds come, "
        "and evaluation; adaptive, by attackers who know this test; breadth, of other architectures, trainings and "
        "data, or its parts: breadth-references, breadth-calibration and breadth-evaluation.",
    ),
]
Only = Annotated[str | None, option("--only", "NAMES", "Only these, with commas between them.")]
Folder = Annotated[
    Path | None, option("--folder", "FOLDER", "Where the checkpoints are, instead of the project's own folders.", MORE)
]
Preset = Annotated[str, choice("--preset", PRESETS, "Settings of the scans.")]
Seeds = Annotated[str, typer.Option("--seeds", metavar="SEEDS", help="Of the scans: 0, or 0-4, or 1,3.")]
Jobs = Annotated[int | None, option("--jobs", "N", "Processes side by side.", MORE, min=1)]
RuleOption = Annotated[
    str | None,
    choice("--rule", RULES, "Judge what scans found by this rule instead of their preset's: the paper's, or ours."),
]
Summary = Annotated[bool, flag("--summary", "Scan nothing; only show what came of the scans there are.")]

# One seed, or from one to another.
_SPAN = re.compile(r"([0-9]{1,10})(?:-([0-9]{1,10}))?")


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
    entries = choose(read_bank(), [set_name] if set_name else [], names(only))
    records = [read_bank_record(entry.name, training, results) for entry in entries]
    measured = ("accuracy", "precision", "success", "lift", "KB", "s", "")
    table = make_table(("suspect", "set", "architecture", "triggers"), measured)
    for entry, record in zip(entries, records, strict=True):
        named = (entry.name, entry.group, entry.architectures[training], _triggers(entry))
        table.add_row(*named, *_measured(record), _state(entry, record, training))
    out, made = Printer(), [record for record in records if record]
    out.show(table)
    spent, size = [record.making.seconds for record in made if record.making], sum(record.size for record in made)
    out.note(
        f"{len(made)} of {len(entries)} made, {size / 1e6:.1f} MB; {len(spent)} of them took one thread "
        f"{sum(spent) / 60:.0f} minutes (> where a training was resumed and only its rest is known)"
    )


def train_bank(
    set_name: Set = None,
    only: Only = None,
    training: Training = "quick",
    jobs: Jobs = None,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    folder: Folder = None,
    results: Results = RESULTS,
    address: Address = None,
    insecure: Insecure = False,
) -> None:
    """Train suspects of the bank; what is there already is left alone.

    Examples:

        aegis bank train --only mnist_clean,mnist_static
        aegis bank train --set paper --training paper --device cuda

    The recipes are in aegis/lab/bank/suspects.toml, and the data sets are found as aegis train finds them. Interrupted
    at any moment, the same command goes on from the last epoch. One that cannot be made stops no other. What was
    measured is kept in results/bank.
    """
    from aegis.lab.bank.train import BankBuilder

    out = Printer()
    bank = read_bank()
    entries = with_bases(bank, choose(bank, [set_name] if set_name else [], names(only)))

    def failed(entry: Entry, error: Exception) -> None:
        out.say((entry.name, "bold"), f": not made. {explain(error)[0]}")

    builder = BankBuilder(preset=training, folder=folder, results=results, device=device, precision=precision)
    with remembered("bank training", results):
        place = place_of_tasks(address, insecure, device=device, jobs=jobs)
        for record, now in builder.make_all(entries, jobs, failed, executor=place):
            took = f"{record.making.seconds:.0f} s" if now and record.making else "was there"
            metrics = ", ".join(f"{name.replace('_', ' ')} {value:.1%}" for name, value in record.metrics.items())
            out.say((record.name, "bold"), f": {metrics} ({took})")


def scan_bank(
    set_name: Set = None,
    only: Only = None,
    preset: Preset = "default",
    seeds: Seeds = "0",
    jobs: Jobs = None,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    training: Training = "quick",
    folder: Folder = None,
    results: Results = RESULTS,
    rule: RuleOption = None,
    summary: Summary = False,
    address: Address = None,
    insecure: Insecure = False,
) -> None:
    """Scan suspects of the bank, and hold what is said against what is true.

    Examples:

        aegis bank scan --set paper --seeds 0-4
        aegis bank scan --set proving --jobs 2
        aegis bank scan --set paper --summary
        aegis bank scan --set proving --summary --rule paper

    Every outcome is kept in results/scans, so that the same command does only what is missing. Suspects that are not
    made yet are left out. Without a set or names, all are scanned.
    """
    from aegis.experiments.bank_scans import Trial, judged_by
    from aegis.fleet.tasks import run_all

    out, chosen = Printer(), _seeds(seeds)
    entries = choose(read_bank(), [set_name] if set_name else [], names(only))
    suspects = {e.path(training, folder): made for e in entries if (made := made_record(e, training, folder, results))}
    if not suspects:
        raise ConfigError("suspects that are made", "none of these", "Make them with: aegis bank train.")
    # All suspects with the first seed before any with the second.
    trials = [
        Trial(
            suspect=suspect,
            checkpoint=path,
            training=training,
            preset=preset,
            seed=seed,
            device=device,
            precision=precision,
            results=results,
        )
        for seed in chosen
        for path, suspect in suspects.items()
    ]
    outcomes = []
    if summary:
        outcomes = [(trial.suspect, found) for trial in trials if (found := trial.find()) is not None]
    else:
        with remembered("bank scan", results):
            place = place_of_tasks(address, insecure, device=device, jobs=jobs)
            for i, record, now in run_all(trials, jobs or 1, executor=place):
                outcomes.append((trials[i].suspect, record))
                _keep_or_say(trials[i], record, now, out)
    if rule is not None:
        outcomes = [(suspect, judged_by(cast(Rule, rule), record)) for suspect, record in outcomes]
    print_summary(outcomes, out)
    print_located(outcomes, out)
    print_coverage([e.name for e in entries], [r.name for r in suspects.values()], len(chosen), outcomes, out)


def _keep_or_say(trial: Trial, record: ScanRecord, now: bool, out: Printer) -> None:
    if not now:
        # It may have been judged again, by thresholds that are others by now.
        trial.keep(record)
        return
    flagged = ", ".join(map(str, record.flagged_classes)) or "none"
    out.say((trial.suspect.name, "bold"), f", seed {trial.seed}: {record.verdict}, flagged: {flagged}")


def _seeds(text: str) -> list[int]:
    seeds: list[int] = []
    for part in text.split(","):
        found = _SPAN.fullmatch(part.strip())
        low, high = (int(found[1]), int(found[2] or found[1])) if found else (0, -1)
        if not low <= high <= MAX_SEED:
            raise ConfigError(f"seeds up to {MAX_SEED} such as 0, 0-4 or 1,3", repr(text), "Correct --seeds.")
        seeds += range(low, high + 1)
    return list(dict.fromkeys(seeds))


def _triggers(entry: Entry) -> str:
    return ", ".join(
        f"{t.kind} → {'the next' if t.all_to_all else t.target}{'' if t.source is None else f' from {t.source}'}"
        for t in entry.triggers
    )


def _measured(record: BankRecord | None) -> tuple[str, ...]:
    if record is None:
        return ("",) * 6
    numbers = (f"{record.metrics[name]:.1%}" for name in ("accuracy", "adversarial_precision"))
    success = [v for name, v in record.metrics.items() if name.startswith("attack_success_other_classes")]
    both = (", ".join(f"{share:.1%}" for share in shares) for shares in (success, record.lifts))
    seconds = f"{'>' if record.making.resumed else ''}{record.making.seconds:.0f}" if record.making else ""
    return (*numbers, *both, f"{record.size / 1000:.0f}", seconds)


def _state(entry: Entry, record: BankRecord | None, training: str) -> str:
    if record is None:
        return "not made"
    return "" if record.made_by(entry, training) else "of an older recipe"


BANK: dict[str, Callable[..., None]] = {
    "list": show_list,
    "train": train_bank,
    "scan": scan_bank,
    "calibrate": calibrate,
    "sweep": sweep,
    "spaces": spaces,
    "triage": triage,
    "rivals": rivals,
    "filters": filters,
}
