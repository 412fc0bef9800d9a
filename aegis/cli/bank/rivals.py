"""``aegis bank rivals``: other detectors on suspects of the bank."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from aegis.baselines.catalogue import BASELINES
from aegis.cli.bank.runs import Jobs, Only, Set, Summary, outcomes, say_took
from aegis.cli.options import Device, Results, Training, names
from aegis.cli.output import Printer, make_table
from aegis.cli.places import Address, Insecure, place_of_tasks
from aegis.core.errors import ConfigError
from aegis.lab.bank.record import RESULTS
from aegis.lab.bank.suspects import choose, read_bank

if TYPE_CHECKING:
    from aegis.experiments.rivals import RivalRecord, RivalTally
    from aegis.lab.bank.record import BankRecord
    from aegis.records.detectors import DetectorRecord

ALL_RIVALS = ",".join(BASELINES)
With = Annotated[
    str, typer.Option("--with", metavar="NAMES", help=f"Which detectors, with commas between them: {ALL_RIVALS}.")
]


def rivals(
    set_name: Set = None,
    only: Only = None,
    with_: With = ALL_RIVALS,
    summary: Summary = False,
    jobs: Jobs = None,
    device: Device = "auto",
    training: Training = "quick",
    results: Results = RESULTS,
    address: Address = None,
    insecure: Insecure = False,
) -> None:
    """Run other detectors on suspects of the bank, and count what they find and what they flag falsely.

    Examples:

        aegis bank rivals --only mnist_localised,mnist_localised_standard
        aegis bank rivals --set paper --with nc,mmbd
        aegis bank rivals --summary

    Without a set or names, all that ran are shown, and the paper's fifteen robust suspects and their standard twins are
    run. Scans of AEGIS with the default preset count where there are any. Outcomes are kept in results/baselines.
    """
    from aegis.experiments.bank_scans import kept
    from aegis.experiments.kept import trials_of
    from aegis.experiments.rivals import RivalTrial, by_training, tally
    from aegis.records.detectors import aegis_record

    chosen = names(with_)
    if not chosen or any(name not in BASELINES for name in chosen):
        raise ConfigError(f"detectors among {ALL_RIVALS}", repr(with_), "Write for example --with nc,mmbd.")
    groups = [set_name] if set_name else [] if only else ["paper", "standard"]
    trials = trials_of(choose(read_bank(), groups, names(only)), training=training, device=device, results=results)
    if not trials:
        raise ConfigError("suspects that are made", "none of these", "Make them with: aegis bank train.")
    tasks = [RivalTrial(name=name, trial=trial) for trial in trials for name in chosen]
    out = Printer()
    place = partial(place_of_tasks, address, insecure, device=device, jobs=jobs)
    ended = outcomes("bank rivals", tasks, out, _say, summary=summary, jobs=jobs, results=results, place=place)
    found = [(suspect, record.detector) for suspect, record in ended]
    ran = {suspect.name for suspect, _ in found}
    found += [(t.suspect, aegis_record(one)) for t in trials if t.suspect.name in ran for one in kept(t)[:1]]
    _print_outcomes(found, out)
    _print_tallies(tally(found), Counter(by_training(trial.suspect) for trial in trials), out)


def _say(record: RivalRecord, now: bool) -> str:
    one = record.detector
    flagged = ", ".join(map(str, one.flagged_classes)) or "none"
    return f", {one.name}: {one.verdict}, flagged: {flagged} ({say_took(one.seconds, now)})"


def _print_outcomes(found: list[tuple[BankRecord, DetectorRecord]], out: Printer) -> None:
    detectors = {one.name: one.title for _, one in found}
    table = make_table(["suspect"], ["target", *detectors])
    said = {(suspect.name, one.name): one for suspect, one in found}
    for suspect in {s.name: s for s, _ in found}.values():
        targets = ", ".join("each next" if t.all_to_all else str(t.target) for t in suspect.triggers)
        cells = (said.get((suspect.name, name)) for name in detectors)
        table.add_row(suspect.name, targets, *("" if one is None else _cell(one) for one in cells))
    out.line()
    out.show(table)
    out.note(
        "Flagged classes, or a dash for none; in brackets the largest anomaly index or smallest p-value. "
        + "; ".join(f"{name}: {title}" for name, title in detectors.items())
    )


def _cell(one: DetectorRecord) -> str:
    flagged = ", ".join(map(str, one.flagged_classes)) or ("?" if one.verdict == "inconclusive" else "-")
    return flagged if one.value is None else f"{flagged} ({one.value:.2g})"


def _print_tallies(found: list[RivalTally], asked: Counter[str], out: Printer) -> None:
    columns = ("ran", "found", "named", "clean accused", "benign classes flagged", "no verdict", "s")
    table = make_table(("detector", "training"), columns)
    for one in found:
        rates = (one.found, one.named, one.accused, one.flagged)
        seconds = "" if one.seconds is None else f"{one.seconds:.0f}"
        ran = f"{one.ran} of {asked[one.training]}"
        table.add_row(one.title, one.training, ran, *map(str, rates), str(one.undecided), seconds)
    out.line()
    out.show(table)
    out.note(
        "ran: suspects of those asked for; found: infected models called infected; named: whose target is flagged; "
        "clean accused: models without a backdoor called infected; in brackets 95% intervals (Clopper-Pearson), too "
        "narrow for classes, which share models. s: median seconds of the processor."
    )
