"""AEGIS, Neural Cleanse, the paper's variant of it and MM-BD on the same suspects, counted with intervals."""

from __future__ import annotations

from collections.abc import Mapping

from aegis.baselines.catalogue import BASELINES
from aegis.experiments.detection_rates import Rate
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import EMPTY, Cell, Column, Table, cell, words
from aegis.experiments.rivals import RivalTally, tally
from aegis.lab.bank.suspects import choose, read_bank
from aegis.records.detectors import AEGIS, DetectorRecord, aegis_record

# Sets of the bank by what they are.
SETS = {"paper": "the paper's, robust", "standard": "standard twins", "evaluation": "evaluation half"}
TITLES = {AEGIS: "AEGIS, preset default", **{name: one.title for name, one in BASELINES.items()}}
RATES = {
    "found": "found",
    "named": "named",
    "accused": "clean accused",
    "flagged": "benign classes flagged",
}
COLUMNS = (
    Column("set", "suspects", words=True),
    Column("detector", "detector", words=True),
    Column("ran", "ran", unit="of suspects"),
    *(Column(key, heading, unit="of number") for key, heading in RATES.items()),
    Column("undecided", "no verdict", unit="suspects"),
    Column("seconds", "seconds", unit="seconds"),
)
NOTE = (
    "One run of each suspect, with seed 0; in brackets Clopper-Pearson intervals at 95%, too narrow for classes, which "
    "share models. found: infected models whose attack works (a lift of at least 20%) called infected; named: those "
    "whose target is flagged; clean accused: models without a backdoor called infected. No verdict: AEGIS calls no "
    "model clean that is not robust. seconds: median time of the processor, one thread beside other work; times of "
    "AEGIS are in Table 8 and in docs/results.md, since its scans were computed in parts."
)


def table(number: str, records: Records) -> Table:
    """Makes the table of detectors.

    Args:
        number: name of the table.
        records: what is recorded.

    Returns:
        The table.

    Raises:
        StoreError: if a record is damaged.
    """
    rows: list[tuple[Cell, ...]] = []
    for group, title in SETS.items():
        names = [entry.name for entry in choose(read_bank(), [group], [])]
        models = records.models(names)
        for detector in TITLES:
            said = _said(detector, records, names)
            told = tally([(models[name], one) for name, one in said.items()])
            rows.append(_row(title, detector, told[0] if told else None, len(names)))
    return Table(number, "Detectors on the same suspects", COLUMNS, tuple(rows), (), NOTE)


def _said(detector: str, records: Records, names: list[str]) -> Mapping[str, DetectorRecord]:
    if detector != AEGIS:
        return records.rivals(detector, names)
    return {name: aegis_record(scan) for name, scan in records.first_scans("default", names).items()}


def _row(title: str, detector: str, found: RivalTally | None, asked: int) -> tuple[Cell, ...]:
    first = Cell(title if detector == AEGIS else "", title)
    if found is None:
        return first, *words(TITLES[detector]), Cell(f"0 of {asked}", (0, asked)), *(EMPTY,) * (len(RATES) + 2)
    return (
        first,
        *words(TITLES[detector]),
        Cell(f"{found.ran} of {asked}", (found.ran, asked)),
        *(_rate(getattr(found, key)) for key in RATES),
        cell(found.undecided),
        cell(found.seconds, ".0f"),
    )


def _rate(rate: Rate) -> Cell:
    return Cell(str(rate), (rate.hits, rate.models)) if rate.models else EMPTY
