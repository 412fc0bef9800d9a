"""Compares two scans, such as of two versions of one model, in numbers and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aegis.core.text import label_with_name, printable
from aegis.core.types import FAMILIES, Family
from aegis.records.ranking import best_score
from aegis.records.record import ClassRecord, ScanRecord
from aegis.records.settings import (
    Line,
    different_settings,
    different_surroundings,
    preset_of,
    same_calibration,
    same_settings,
)
from aegis.records.wording import robust_up_to

Flagged = Literal["newer", "older", "both", "neither"]
# Smaller changes of a score are not mentioned.
NOTICED = 0.1


@dataclass(frozen=True)
class Metric:
    """One measure of the model in both scans.

    Args:
        name: of the measure.
        older, newer: its value in each scan, in words.
        change: newer value less older value; None where one is missing.
        share: whether the value is a share in [0, 1]; else it is an L2 norm.
    """

    name: str
    older: str
    newer: str
    change: float | None
    share: bool = True


@dataclass(frozen=True)
class ClassPair:
    """One class in both scans.

    Args:
        label, name: of the class.
        older, newer: what was found; None where it was not tested.
    """

    label: int
    name: str
    older: ClassRecord | None
    newer: ClassRecord | None

    @property
    def flagged(self) -> Flagged:
        """Which of the two scans flags the class."""
        before, now = (one is not None and one.flagged for one in (self.older, self.newer))
        return "both" if before and now else "older" if before else "newer" if now else "neither"

    def scores(self, family: Family) -> tuple[float | None, float | None]:
        """Find the best score of the class in each scan.

        Args:
            family: of triggers.

        Returns:
            The older and the newer score, in [0, 1]; None where no trigger was tried.
        """
        before, now = (None if one is None else best_score(one, family) for one in (self.older, self.newer))
        return before, now

    @property
    def moved(self) -> tuple[float, Family]:
        """The largest change of a score, newer less older, and its family."""
        changes = [
            (now - before, family)
            for family in FAMILIES
            for before, now in [self.scores(family)]
            if before is not None and now is not None
        ]
        return max(changes, key=lambda change: abs(change[0]), default=(0.0, FAMILIES[0]))


@dataclass(frozen=True)
class Comparison:
    """The differences between two scans; no text in it can forge a line on a terminal.

    Args:
        sentences: what the comparison shows, the most important first.
        caveats: reasons why the scans are hard to compare, empty if there are none.
        metrics: accuracy and robustness in both scans.
        settings: settings that differ.
        classes: those that changed first; empty where the two scans have other classes.
    """

    sentences: tuple[str, ...]
    caveats: tuple[str, ...]
    metrics: tuple[Metric, ...]
    settings: tuple[Line, ...]
    classes: tuple[ClassPair, ...]


def noticed(before: float | None, now: float | None) -> bool:
    """Tell whether a score changed enough to be mentioned.

    Args:
        before, now: the score in each scan, in [0, 1]; None where there is none.

    Returns:
        True for a change of at least ``NOTICED``; scores have four decimals.
    """
    return before is not None and now is not None and round(abs(now - before), 4) >= NOTICED


def compare(older: ScanRecord, newer: ScanRecord) -> Comparison:
    """Compare two scans.

    Args:
        older: the scan that is named first.
        newer: the scan that is named second.

    Returns:
        What differs, in words and numbers.
    """
    pairs = _pairs(older, newer) if older.data.class_names == newer.data.class_names else ()
    return Comparison(
        sentences=(*_flags(older, newer, pairs), _verdicts(older, newer), *_model(older, newer), *_scores(pairs)),
        caveats=tuple(_caveats(older, newer)),
        metrics=_metrics(older, newer),
        settings=(*_preset(older, newer), *different_settings(older, newer), *different_surroundings(older, newer)),
        classes=pairs,
    )


def _pairs(older: ScanRecord, newer: ScanRecord) -> tuple[ClassPair, ...]:
    before, now = ({one.label: one for one in record.classes} for record in (older, newer))
    names = older.data.class_names

    pairs = [
        ClassPair(label, _name(names, label), before.get(label), now.get(label)) for label in before.keys() | now.keys()
    ]
    order = ("newer", "older", "both", "neither")
    return tuple(sorted(pairs, key=lambda pair: (order.index(pair.flagged), -abs(pair.moved[0]), pair.label)))


def _flags(older: ScanRecord, newer: ScanRecord, pairs: Sequence[ClassPair]) -> list[str]:
    if not pairs:
        sides = [
            f"the {side} one flags {_listed(labels, record) if labels else 'no class'}"
            for side, record in (("older", older), ("newer", newer))
            for labels in [record.flagged_classes]
        ]
        return [f"{sides[0][0].upper()}{sides[0][1:]}, {sides[1]}."]
    said = []
    for side, other in (("newer", "older"), ("older", "newer")):
        flagged = [pair for pair in pairs if pair.flagged == side]
        untested = [pair.label for pair in flagged if getattr(pair, other) is None]
        changed = sorted(pair.label for pair in flagged if pair.label not in untested)
        if changed:
            said.append(f"{_are(changed, older)} flagged only in the {side} one.")
        if untested:
            it = "it" if len(untested) == 1 else "them"
            said.append(
                f"{_are(sorted(untested), older)} flagged in the {side} one; the {other} one did not test {it}."
            )
    if both := sorted(pair.label for pair in pairs if pair.flagged == "both"):
        said.append(f"{_are(both, older)} flagged in both.")
    return said or ["Neither flags a class."]


def _verdicts(older: ScanRecord, newer: ScanRecord) -> str:
    if older.verdict == newer.verdict:
        return f"Both are called {older.verdict}."
    return f"The verdict changed from {older.verdict} to {newer.verdict}."


def _model(older: ScanRecord, newer: ScanRecord) -> list[str]:
    before, now = older.model, newer.model
    if before.digest == now.digest:
        return ["Both are scans of the very same model."]
    if older.data.digest != newer.data.digest:
        return []
    radii = robust_up_to(before), robust_up_to(now)
    robust = "robust up to " + (radii[0] if radii[0] == radii[1] else f"{radii[0]} before and {radii[1]} now")
    if f"{before.accuracy:.1%}" == f"{now.accuracy:.1%}":
        return [f"The models differ; both have an accuracy of {now.accuracy:.1%}; {robust}."]
    return [f"The models differ: accuracy was {before.accuracy:.1%} and is {now.accuracy:.1%}; {robust}."]


def _scores(pairs: Sequence[ClassPair]) -> list[str]:
    """The largest change of a score among classes whose flag did not change."""
    quiet = [pair for pair in pairs if pair.flagged in ("both", "neither")]
    most = max(quiet, key=lambda pair: abs(pair.moved[0]), default=None)
    if most is None:
        return []
    family = most.moved[1]
    before, now = most.scores(family)
    if not noticed(before, now):
        return []
    return [
        f"Of the other classes, the score of class {_named(most.label, most.name)} moved most: {family}, from "
        f"{before:.0%} to {now:.0%}."
    ]


def _caveats(older: ScanRecord, newer: ScanRecord) -> list[str]:
    said = []
    a, b = older.data, newer.data
    if a.digest != b.digest:
        names = (printable(a.name, 60), printable(b.name, 60))
        what = f"{names[0]} and {names[1]}" if names[0] != names[1] else f"others under the same name, {names[0]}"
        said.append(f"They were scanned with different images: {what}.")
    if a.class_names != b.class_names:
        said.append("Their classes are not the same, so no class of one stands beside one of the other.")
    elif {one.label for one in older.classes} != {one.label for one in newer.classes}:
        counts = [f"{len(record.classes)} of {len(record.data.class_names)}" for record in (older, newer)]
        said.append(f"Not the same classes were tested: {counts[0]} in the older one, {counts[1]} in the newer one.")
    if not same_settings(older, newer):
        kinds = preset_of(older), preset_of(newer)
        which = f"presets {kinds[0]} and {kinds[1]}" if kinds[0] != kinds[1] else kinds[0]
        said.append(f"They were scanned with different settings ({which}): scores and clusters depend on them.")
    if not same_calibration(older, newer):
        said.append("Their scores were held against different benign models, so one score may flag in only one.")
    for name, what in (("aegis", "AEGIS"), ("detector", "the detector")):
        versions = older.versions.get(name), newer.versions.get(name)
        if versions[0] != versions[1]:
            said.append(f"They were made by different versions of {what}.")
    return said


def _preset(older: ScanRecord, newer: ScanRecord) -> list[Line]:
    kinds = preset_of(older), preset_of(newer)
    return [] if kinds[0] == kinds[1] else [Line("Preset", *kinds)]


def _metrics(older: ScanRecord, newer: ScanRecord) -> tuple[Metric, ...]:
    before, now = older.model, newer.model
    ladders = [dict(zip(model.epsilons, model.robust_accuracies)) for model in (before, now)]
    measured = [
        _metric(f"Accuracy under attack, L2 radius {epsilon:g}", ladders[0].get(epsilon), ladders[1].get(epsilon))
        for epsilon in sorted(ladders[0].keys() | ladders[1].keys())
    ]
    radius = Metric(
        "Robust up to (L2 radius that halves accuracy)",
        robust_up_to(before),
        robust_up_to(now),
        now.half_radius - before.half_radius,
        share=False,
    )
    return (_metric("Accuracy", before.accuracy, now.accuracy), *measured, radius)


def _metric(name: str, before: float | None, now: float | None) -> Metric:
    change = None if before is None or now is None else now - before
    return Metric(name, _share(before), _share(now), change)


def _share(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1%}"


def _are(labels: Sequence[int], record: ScanRecord) -> str:
    listed = _listed(labels, record)
    return f"{listed[0].upper()}{listed[1:]} {'is' if len(labels) == 1 else 'are'}"


def _listed(labels: Sequence[int], record: ScanRecord) -> str:
    names = record.data.class_names
    named = [_named(k, _name(names, k)) for k in labels]
    if len(named) == 1:
        return f"class {named[0]}"
    shown, more = named[:5], len(named) - 5
    if more > 0:
        return f"classes {', '.join(shown)} and {more} more"
    return f"classes {', '.join(shown[:-1])} and {shown[-1]}"


def _name(names: Sequence[str], label: int) -> str:
    return names[label] if 0 <= label < len(names) else str(label)


def _named(label: int, name: str) -> str:
    return label_with_name(label, printable(name, 40))
