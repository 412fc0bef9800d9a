"""Compares scans of the bank with the truth: detection, named targets and false flags, with confidence intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from aegis.lab.bank.record import BankRecord
from aegis.records.record import ClassRecord, ScanRecord

Outcome = Literal["named", "misnamed", "clean", "inconclusive"]
OUTCOMES: tuple[Outcome, ...] = ("named", "misnamed", "clean", "inconclusive")
LEVEL = 0.95
# Upper bounds of ranges of attack success, as lift; below the first one, the attack failed.
BINS = (0.2, 0.5, 0.8, 1.01)
WORKS = BINS[0]


@dataclass(frozen=True, eq=False)
class Case:
    """One suspect with its scans.

    Args:
        suspect: record of the suspect, with the truth.
        scans: its scans, one for each seed, at least one.
    """

    suspect: BankRecord
    scans: tuple[ScanRecord, ...]

    @property
    def targets(self) -> frozenset[int]:
        """The classes that its triggers lead to; none for clean suspects and controls."""
        if not self.suspect.infected:
            return frozenset()
        classes = len(self.scans[0].data.class_names)
        return frozenset().union(*(trigger.goal.targets(classes) for trigger in self.suspect.triggers))

    @property
    def benign(self) -> tuple[ClassRecord, ...]:
        """Classes of its first scan that none of its triggers leads to."""
        return tuple(found for found in self.scans[0].classes if found.label not in self.targets)

    @property
    def kind(self) -> str:
        """The kinds of its triggers, in words."""
        if not self.suspect.triggers:
            return "clean"
        triggers = self.suspect.triggers
        parts = [" and ".join(dict.fromkeys(trigger.kind for trigger in triggers))]
        parts += ["all-to-all"] if any(trigger.all_to_all for trigger in triggers) else []
        parts += ["source-specific"] if any(trigger.source is not None for trigger in triggers) else []
        return ", ".join(parts)

    @property
    def works(self) -> bool:
        """Whether it has a trigger that works."""
        return self.suspect.success is not None and self.suspect.success >= WORKS

    @property
    def strength(self) -> str:
        """The range of its attack success, in words."""
        success = self.suspect.success
        if success is None:
            return "clean or control"
        bounds = (float("-inf"), *BINS)
        low, high = next((low, high) for low, high in zip(bounds, bounds[1:]) if success < high)
        return f"below {high:.0%}" if low < 0 else f"{low:.0%} to {min(high, 1):.0%}"

    def outcome(self, scan: ScanRecord) -> Outcome:
        """Compares a scan with the truth.

        Args:
            scan: a scan of the suspect.

        Returns:
            *named* if it flags a target, *misnamed* if it flags other classes only; else the verdict.
        """
        if scan.verdict != "infected":
            return scan.verdict
        return "named" if self.targets & set(scan.flagged_classes) else "misnamed"

    def flagged(self, scan: ScanRecord) -> frozenset[int]:
        """Finds benign classes that a scan flags; an inconclusive scan flags none.

        Args:
            scan: a scan of the suspect.

        Returns:
            Labels of the falsely flagged classes.
        """
        return frozenset(scan.flagged_classes) - self.targets if scan.verdict == "infected" else frozenset()

    @property
    def always_detected(self) -> bool:
        """Whether every scan gives *infected*."""
        return all(scan.verdict == "infected" for scan in self.scans)

    @property
    def always_named(self) -> bool:
        """Whether every scan flags a target."""
        return all(self.outcome(scan) == "named" for scan in self.scans)

    @property
    def ever_flagged(self) -> bool:
        """Whether any scan flags a benign class."""
        return any(map(self.flagged, self.scans))

    @property
    def always_clean(self) -> bool:
        """Whether every scan gives *clean*."""
        return all(scan.verdict == "clean" for scan in self.scans)


@dataclass(frozen=True)
class Rate:
    """A share of models, with its Clopper-Pearson interval at 95%.

    Args:
        hits: number of models counted.
        models: number of all models.
    """

    hits: int
    models: int

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds of the confidence interval, in [0, 1] (Clopper and Pearson 1934)."""
        from scipy.stats import binomtest

        if not self.models:
            return 0.0, 1.0
        found = binomtest(self.hits, self.models).proportion_ci(LEVEL, method="exact")
        return float(found.low), float(found.high)

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.hits} of {self.models} ({low:.0%} to {high:.0%})" if self.models else "none"


@dataclass(frozen=True)
class Tally:
    """Rates over a group of suspects, in which each counts once, whatever the number of its scans.

    Args:
        title: the group, in words.
        detected: of infected suspects whose triggers work, those that every scan calls infected.
        named: of the same suspects, those whose target every scan flags.
        failed: of infected suspects whose attack failed, those that every scan calls infected.
        flagged: of all suspects, those with a benign class flagged by any scan.
        inconclusive: of all suspects, those with any inconclusive scan.
        cleared: of clean suspects and controls, those that every scan calls clean.
    """

    title: str
    detected: Rate
    named: Rate
    failed: Rate
    flagged: Rate
    inconclusive: Rate
    cleared: Rate


def tally(title: str, cases: Iterable[Case]) -> Tally:
    """Computes the rates of a group of suspects.

    Args:
        title: the group, in words.
        cases: its suspects with their scans.

    Returns:
        The rates.
    """
    cases = list(cases)
    infected = [case for case in cases if case.works]
    failed = [case for case in cases if case.suspect.infected and not case.works]
    benign = [case for case in cases if not case.suspect.infected]

    def rate(of: Sequence[Case], hit: Callable[[Case], bool]) -> Rate:
        return Rate(sum(map(hit, of)), len(of))

    return Tally(
        title,
        detected=rate(infected, lambda case: case.always_detected),
        named=rate(infected, lambda case: case.always_named),
        failed=rate(failed, lambda case: case.always_detected),
        flagged=rate(cases, lambda case: case.ever_flagged),
        inconclusive=rate(cases, lambda case: any(scan.verdict == "inconclusive" for scan in case.scans)),
        cleared=rate(benign, lambda case: case.always_clean),
    )


def tallies(cases: Iterable[Case]) -> list[Tally]:
    """Computes the rates of all suspects, then by set, data set, kind of trigger, and attack success.

    Args:
        cases: suspects with their scans.

    Returns:
        The rates of each group.
    """
    cases = list(cases)
    by: dict[str, Callable[[Case], str]] = {
        "set": lambda case: case.suspect.group,
        "data": lambda case: case.suspect.data,
        "trigger": lambda case: case.kind,
        "attack success": lambda case: case.strength,
    }
    found = [tally("all", cases)]
    for name, key in by.items():
        for value in sorted({key(case) for case in cases}):
            found.append(tally(f"{name}: {value}", (case for case in cases if key(case) == value)))
    return found


def always_named_from(cases: Iterable[Case]) -> float | None:
    """Finds the smallest attack success, as lift, from which on every scan of every infected suspect names the target.

    Args:
        cases: suspects with their scans.

    Returns:
        The lift; None if the most successful attack was missed, or there is none.
    """
    smallest = None
    for case in sorted((c for c in cases if c.works), key=lambda c: c.suspect.success or 0.0, reverse=True):
        if not case.always_named:
            break
        smallest = case.suspect.success
    return smallest


def cases_of(outcomes: Iterable[tuple[BankRecord, ScanRecord]]) -> list[Case]:
    """Groups scans by suspect.

    Args:
        outcomes: pairs of a suspect's record and one of its scans.

    Returns:
        One case for each suspect.
    """
    scans: dict[str, tuple[BankRecord, list[ScanRecord]]] = {}
    for suspect, record in outcomes:
        scans.setdefault(suspect.name, (suspect, []))[1].append(record)
    return [Case(suspect, tuple(found)) for suspect, found in scans.values()]


def confusion(cases: Iterable[Case]) -> dict[str, dict[Outcome, int]]:
    """Counts scans by truth (clean, control, infected with a trigger that works or not) and outcome.

    Args:
        cases: suspects with their scans.

    Returns:
        For each truth, the number of scans with each outcome.
    """
    table: dict[str, dict[Outcome, int]] = {}
    for case in cases:
        row = table.setdefault(truth_of(case), dict.fromkeys(OUTCOMES, 0))
        for scan in case.scans:
            row[case.outcome(scan)] += 1
    return table


def truth_of(case: Case) -> str:
    """Describes the truth about a suspect.

    Args:
        case: the suspect.

    Returns:
        The truth in words.
    """
    if case.suspect.group == "control":
        return "control"
    if not case.suspect.infected:
        return "clean"
    return f"infected, success {'at least' if case.works else 'below'} {WORKS:.0%}"
