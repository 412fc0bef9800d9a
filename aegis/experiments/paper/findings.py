"""Every finding that the paper puts into a box (Section 5), and the rates of its abstract, beside ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aegis.experiments.paper.finding import Finding
from aegis.experiments.paper.findings_attacks import findings as about_attacks
from aegis.experiments.paper.findings_detection import (
    COUNT,
    LARGE,
    comparison,
    effectiveness,
    efficiency,
    sensitivity,
)
from aegis.experiments.paper.models import DATA, ROBUST, VISIBLE, name_of
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import EMPTY, Cell, Column, Mark, Table, cell, words
from aegis.experiments.paper.table7 import first_repeats, repeated, varied
from aegis.experiments.paper.table11 import MODES
from aegis.records.record import ScanRecord

COLUMNS = (
    Column("question", "RQ", words=True),
    Column("claim", "finding", words=True),
    Column("by", "by", words=True),
    Column("paper", "in the paper", words=True),
    Column("ours", "here", words=True),
    Column("rate", "so here in", unit="of number"),
    Column("interval", "interval", unit="percent"),
    Column("same", "same direction", words=True),
    Column("agrees", "paper's rate in interval", words=True),
    Column("reason", "where not, why", words=True),
)
NOTE = (
    "So here in: models whose attack works (a lift of at least 20%), pairs of models in which the comparison goes that "
    "way, models or benign classes or configurations of which it is true. Of several seeds the first counts, since "
    "seeds are no models. Interval: Clopper-Pearson at 95%; configurations (RQ4) and benign classes share models, so "
    "theirs are too narrow. Same direction: means that differ in the same sense, or rates on the same side of one "
    "half. Preset paper is the paper's procedure; preset default asks for a trigger that works, which the paper does "
    "not. ResNet-18: four models of full width (docs/gpu.md)."
)


def table(number: str, records: Records) -> Table:
    """Makes the table of findings.

    Args:
        number: name of the table.
        records: what is recorded.

    Returns:
        The table.

    Raises:
        StoreError: if a record is damaged.
    """
    return table_of(number, findings(records))


def table_of(number: str, found: Sequence[Finding]) -> Table:
    """Writes findings as a table.

    Args:
        number: name of the table.
        found: the findings.

    Returns:
        The table.
    """
    return Table(number, "Findings of the paper", COLUMNS, tuple(map(_cells, found)), (), NOTE)


def findings(records: Records) -> list[Finding]:
    """Puts every finding beside what is recorded.

    Args:
        records: what is recorded.

    Returns:
        The findings, by research question.

    Raises:
        StoreError: if a record is damaged.
    """
    models = records.models(name_of(robust, *key) for robust in (True, False) for key in ROBUST)
    scans = {preset: records.scans(preset, ROBUST) for preset in MODES.values()}
    large = {preset: records.scanned_at_scale(preset) for preset in MODES.values()}
    six = {preset: {k: kept for k, kept in of.items() if k[1] in VISIBLE} for preset, of in scans.items()}
    names = [name_of(robust, data, "localised") for robust in (True, False) for data in DATA]
    found = [
        *about_attacks(models),
        *effectiveness(scans["paper"], "preset paper", COUNT),
        *effectiveness(scans["default"], "preset default", ""),
        *(one for preset, reason in (("paper", COUNT), ("default", LARGE)) for one in _at_scale(preset, large, reason)),
        *comparison({detector: records.rivals(detector, names) for detector in ("nc", "nc-pgd")}),
        *sensitivity(varied(records.sweeps()) | repeated(six["paper"]), first_repeats(six["default"])),
        efficiency(scans["paper"]),
    ]
    return sorted(found, key=lambda one: (one.question, one.claim, one.by == ""))


def _at_scale(preset: str, scans: Mapping[str, Mapping[str, list[ScanRecord]]], reason: str) -> list[Finding]:
    """Findings about models of the paper's size, where any were scanned."""
    keys = {name_of(True, *key): key for key in ROBUST}
    found = {keys[name]: kept for name, kept in scans[preset].items() if name in keys}
    return effectiveness(found, f"preset {preset}, ResNet-18", reason) if found else []


def _cells(found: Finding) -> tuple[Cell, ...]:
    rate = found.rate
    low, high = rate.interval if rate else (0.0, 0.0)
    return (
        *words(found.question, found.claim, found.by, found.paper),
        cell(found.ours or "nothing recorded"),
        Cell(f"{rate.hits} of {rate.models}", (rate.hits, rate.models)) if rate else EMPTY,
        Cell(f"{low:.0%} to {high:.0%}", (100 * low, 100 * high)) if rate else EMPTY,
        _yes(found.same),
        _yes(found.agrees),
        *words(found.reason),
    )


def _yes(said: bool | None) -> Cell:
    marks: dict[bool, Mark] = {True: "right", False: "wrong"}
    return EMPTY if said is None else Cell("yes" if said else "no", "yes" if said else "no", marks[said])
