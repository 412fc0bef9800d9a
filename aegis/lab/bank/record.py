"""What is kept in ``results`` of every suspect of the bank: how it was made, what was measured, how long it took."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from aegis.core.files import write_text
from aegis.lab.bank.suspects import ROOT, Entry, Group, matches
from aegis.models.card import Card, Planted, Poison
from aegis.models.intake.formats import file_digest

RESULTS = ROOT / "results"


class BuildInfo(BaseModel):
    """How a suspect came about: seconds of the training, or of its last part where it was resumed; and on what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float
    resumed: bool
    device: str
    precision: str
    versions: dict[str, str]


class BankRecord(BaseModel):
    """One suspect of the bank.

    ``sha256`` is of the checkpoint; ``making`` is None where nobody took it down.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    name: str
    group: Group
    data: str
    architecture: str
    robust: bool
    triggers: tuple[Planted, ...]
    poison: Poison | None
    recipe: dict[str, Any]
    metrics: dict[str, float]
    sha256: str
    size: int
    making: BuildInfo | None

    @property
    def infected(self) -> bool:
        """Whether it was taught a trigger; the controls were taught false labels alone."""
        return bool(self.triggers) and self.group != "control"

    @property
    def lifts(self) -> tuple[float, ...]:
        """How often each trigger works beyond what happens without it."""
        names = (f"attack_success_lift{'' if n == 1 else f'_{n}'}" for n in range(1, len(self.triggers) + 1))
        return tuple(self.metrics[name] for name in names)

    @property
    def success(self) -> float | None:
        """The lift of the trigger that works best; None for one that is not infected."""
        return max(self.lifts) if self.infected else None

    def made_by(self, entry: Entry, preset: str) -> bool:
        """Whether it was made as its line says now."""
        order = entry.order(preset)
        same = (self.architecture, self.data) == (order.architecture, entry.data)
        return same and matches(order, self.triggers, self.poison, self.recipe)


def record_of(entry: Entry, path: Path, card: Card, making: BuildInfo | None) -> BankRecord:
    """The record of a suspect that is there."""
    assert card.truth is not None
    fields = set(Planted.model_fields)
    return BankRecord(
        name=entry.name,
        group=entry.group,
        data=entry.data,
        architecture=card.identity.architecture,
        robust=card.truth.robust,
        triggers=tuple(Planted(**trigger.model_dump(include=fields)) for trigger in card.truth.triggers),
        poison=card.truth.poison,
        recipe=dict(card.truth.recipe),
        metrics=dict(card.truth.metrics),
        sha256=file_digest(path),
        size=path.stat().st_size,
        making=making,
    )


def record_path(name: str, preset: str, results: Path = RESULTS) -> Path:
    """Where the record of a suspect is kept."""
    return results / "bank" / preset / f"{name}.json"


def keep_record(record: BankRecord, preset: str, results: Path = RESULTS) -> None:
    """Write a record.

    Raises:
        StoreError: if it cannot be written.
    """
    write_text(record_path(record.name, preset, results), record.model_dump_json(indent=2) + "\n")


def read_bank_record(name: str, preset: str, results: Path = RESULTS) -> BankRecord | None:
    """The record of a suspect, or None if there is none that reads as one."""
    try:
        return BankRecord.model_validate_json(record_path(name, preset, results).read_bytes())
    except (OSError, ValidationError):
        return None


def made_record(entry: Entry, preset: str, folder: Path | None = None, results: Path = RESULTS) -> BankRecord | None:
    """The record of a suspect, if it tells of the checkpoint that is there."""
    path, record = entry.path(preset, folder), read_bank_record(entry.name, preset, results)
    if record is None or not path.exists() or record.sha256 != file_digest(path):
        return None
    return record
