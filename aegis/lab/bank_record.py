"""What is kept in ``results`` of every suspect of the bank: how it was made, what was measured, how long it took."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from aegis.errors import StoreError
from aegis.files import write_text
from aegis.lab.bank import ROOT, Entry, Group
from aegis.models.card import Poison, Truth
from aegis.models.formats import file_digest
from aegis.types import Goal
from aegis.version import __version__

RESULTS = ROOT / "results"
PACKAGES = ("torch", "torchvision", "numpy")


class Planted(BaseModel):
    """A backdoor without its pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    target: int
    source: int | None = None
    all_to_all: bool = False
    options: dict[str, Any] = {}

    @property
    def goal(self) -> Goal:
        """Whose images it turns into what."""
        return Goal(target=self.target, source=self.source, all_to_all=self.all_to_all)


class BankRecord(BaseModel):
    """One suspect of the bank; ``seconds`` is None where nobody measured them, ``sha256`` is of the checkpoint."""

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
    seconds: float | None
    resumed: bool
    device: str
    precision: str
    versions: dict[str, str]

    @property
    def infected(self) -> bool:
        """Whether it was taught a trigger; the controls were taught false labels alone."""
        return bool(self.triggers) and self.group != "control"

    @property
    def success(self) -> float | None:
        """How often its triggers work beyond what happens without them: the lift, of two the lower one; or None."""
        lifts = [value for name, value in self.metrics.items() if name.startswith("attack_success_lift")]
        return min(lifts) if self.infected else None


def record_of(
    entry: Entry,
    preset: str,
    path: Path,
    truth: Truth,
    *,
    seconds: float | None,
    resumed: bool,
    device: str,
    precision: str,
) -> BankRecord:
    """The record of a suspect that is there."""
    return BankRecord(
        name=entry.name,
        group=entry.group,
        data=entry.data,
        architecture=entry.architectures[preset],
        robust=truth.robust,
        triggers=tuple(Planted.model_validate(t.model_dump(include=set(Planted.model_fields))) for t in truth.triggers),
        poison=truth.poison,
        recipe=dict(truth.recipe),
        metrics=dict(truth.metrics),
        sha256=file_digest(path),
        size=path.stat().st_size,
        seconds=seconds,
        resumed=resumed,
        device=device,
        precision=precision,
        versions={"aegis": __version__, "python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in PACKAGES},
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
    """The record of a suspect, or None if there is none.

    Raises:
        StoreError: if there is a file that is none.
    """
    path = record_path(name, preset, results)
    if not path.exists():
        return None
    try:
        return BankRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise StoreError(
            f"the record of a suspect in {path}", "other content", f"Make it anew: aegis bank train --only {name}."
        ) from error
