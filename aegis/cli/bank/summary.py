"""Prints results of scans of the bank."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from aegis.cli.output import Printer, make_table
from aegis.lab.bank.record import BankRecord

if TYPE_CHECKING:
    from aegis.experiments.detection_rates import Case, Tally
    from aegis.experiments.localisation import Located
    from aegis.records.record import ScanRecord


def print_summary(outcomes: list[tuple[BankRecord, ScanRecord]], out: Printer) -> None:
    """Prints how many scans and suspects came out right, and each that went wrong by name."""
    from aegis.experiments.detection_rates import OUTCOMES, always_named_from, cases_of, confusion, tallies

    cases = cases_of(outcomes)
    if not cases:
        return
    table = make_table(["in truth"], OUTCOMES, "Scans")
    for truth, row in confusion(cases).items():
        table.add_row(truth, *(str(row[outcome]) for outcome in OUTCOMES))
    out.line()
    out.show(table)
    print_tallies(tallies(cases), out)
    out.note(
        "Models, each once, with 95% intervals (Clopper-Pearson). detected, named, cleared: in every seed; flagged "
        "(a benign class), inconclusive: in any. failed: detected although the attack failed. All-to-all triggers "
        "lead to every class, so that none of theirs is benign."
    )
    if (smallest := always_named_from(cases)) is not None:
        out.say(
            f"Suspects whose best attack lifts its target's share by {smallest:.1%} or more: all named in every seed."
        )
    for case in cases:
        for scan in case.scans:
            if wrong := _wrong(case, scan):
                out.say(f"{case.suspect.name}, seed {scan.config['gather']['seed']}: {wrong}")


def print_located(outcomes: list[tuple[BankRecord, ScanRecord]], out: Printer) -> None:
    """Prints how well the patches found overlap with the planted triggers."""
    from aegis.experiments.detection_rates import cases_of
    from aegis.experiments.localisation import located

    found = [one for case in cases_of(outcomes) for one in located(case)]
    if not found:
        return
    measured = ("pixels", "found", "recall", "overlap", "found flips", "trigger flips")
    table = make_table(("suspect", "seed", "trigger"), measured, "Triggers located")
    for one in found:
        leads = "to the next" if one.target is None else f"to {one.target}"
        table.add_row(one.suspect, str(one.seed), f"{one.trigger} {leads}", str(one.pixels), *_located(one))
    out.line()
    out.show(table)
    out.note(
        "found: pixels of the smallest part that works of the best patch for this target; recall: share of the "
        "trigger's pixels among them; overlap: intersection over union; found flips: what these pixels flip by "
        "themselves, on average. A part of a trigger may be enough."
    )


def _located(one: Located) -> tuple[str, ...]:
    found = "none" if one.found is None else str(one.found.pixels)
    part = None if one.found is None else one.found.smallest_rate
    rates = (one.recall, one.overlap, part, one.success)
    return found, *("" if rate is None else f"{rate:.0%}" for rate in rates)


def print_tallies(found: list[Tally], out: Printer) -> None:
    """Prints how many models of each kind were found."""
    table = make_table(["which"], ("detected", "named", "failed", "flagged", "inconclusive", "cleared"), "Models")
    for one in found:
        rates = (one.detected, one.named, one.failed, one.flagged, one.inconclusive, one.cleared)
        table.add_row(one.title, *map(str, rates))
    out.line()
    out.show(table)


def print_coverage(
    asked: list[str], made: list[str], seeds: int, outcomes: list[tuple[BankRecord, ScanRecord]], out: Printer
) -> None:
    """Prints how many of the wanted scans the counts are based on.

    Args:
        asked, made: names of suspects.
        seeds: number of seeds of the command.
        outcomes: suspects with a scan of each.
        out: where to print.
    """
    from aegis.experiments.bank_scans import CODE

    scans = Counter(suspect.name for suspect, _ in outcomes)
    missing = [name for name in asked if name not in made]
    whole = sum(count == seeds for count in scans.values())
    out.say(f"{len(made)} of {len(asked)} suspects are made, {whole} of them scanned with all seeds asked for.")
    if missing:
        out.say(f"Not made: {', '.join(missing)}.")
    detectors = {record.versions.get(CODE) for _, record in outcomes}
    if len(detectors) > 1:
        out.say(f"The scans are of {len(detectors)} versions of the detector.")


def _wrong(case: Case, scan: ScanRecord) -> str:
    outcome, flagged = case.outcome(scan), ", ".join(map(str, sorted(case.flagged(scan))))
    right = "named" if case.suspect.infected else "clean"
    parts = [] if outcome == right else [f"{outcome} ({case.kind}, {case.strength})"]
    return "; ".join([*parts, *([f"flags benign {flagged}"] if flagged else [])])
