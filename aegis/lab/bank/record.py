"""Records of the bank's suspects in ``results``: how each was made, what was measured, and how long it took."""

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
    """Tells how a suspect was trained.

    Args:
        seconds: seconds of the training, or of its last part if it was resumed.
        resumed: whether an interrupted training was resumed.
        device, precision: runtime of the training.
        versions: versions of the libraries, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float
    resumed: bool
    device: str
    precision: str
    versions: dict[str, str]


class BankRecord(BaseModel):
    """Describes one suspect of the bank.

    Args:
        schema_version: version of the format.
        name: name of the suspect.
        group: set of the bank that it belongs to.
        data: name of its data set.
        architecture: as in ``architectures.build``.
        robust: whether it was trained adversarially.
        triggers: its backdoors.
        poison: how they were planted; None for a clean model.
        recipe: settings of its training.
        metrics: what was measured after training, by name.
        sha256: SHA-256 of the checkpoint, in hex.
        size: bytes of the checkpoint.
        making: how it was trained; None if that was not recorded.
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
        """Whether it has a backdoor; the controls were trained with false labels but without a trigger."""
        return bool(self.triggers) and self.group != "control"

    @property
    def lifts(self) -> tuple[float, ...]:
        """Attack success rate of each trigger minus the rate without the trigger."""
        names = (f"attack_success_lift{'' if n == 1 else f'_{n}'}" for n in range(1, len(self.triggers) + 1))
        return tuple(self.metrics[name] for name in names)

    @property
    def success(self) -> float | None:
        """The largest lift of its triggers; None if it is not infected."""
        return max(self.lifts) if self.infected else None

    def made_by(self, entry: Entry, preset: str) -> bool:
        """Tells whether it was made by the present recipe of a suspect.

        Args:
            entry: the suspect in the bank's list.
            preset: the training preset.
        """
        order = entry.order(preset)
        same = (self.architecture, self.data) == (order.architecture, entry.data)
        return same and matches(order, self.triggers, self.poison, self.recipe)


def record_of(entry: Entry, path: Path, card: Card, making: BuildInfo | None) -> BankRecord:
    """Creates the record of a checkpoint.

    Args:
        entry: the suspect in the bank's list.
        path: its checkpoint.
        card: its card, with the truth.
        making: how it was trained, or None if that is unknown.

    Returns:
        The record.
    """
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
    """Gives the path of a suspect's record.

    Args:
        name: name of the suspect.
        preset: the training preset.
        results: folder of all results.

    Returns:
        The path, which need not exist.
    """
    return results / "bank" / preset / f"{name}.json"


def keep_record(record: BankRecord, preset: str, results: Path = RESULTS) -> None:
    """Writes a record.

    Args:
        record: the record.
        preset: the training preset.
        results: folder of all results.

    Raises:
        StoreError: if it cannot be written.
    """
    write_text(record_path(record.name, preset, results), record.model_dump_json(indent=2) + "\n")


def read_bank_record(name: str, preset: str, results: Path = RESULTS) -> BankRecord | None:
    """Reads the record of a suspect.

    Args:
        name: name of the suspect.
        preset: the training preset.
        results: folder of all results.

    Returns:
        The record, or None if there is no valid one.
    """
    try:
        return BankRecord.model_validate_json(record_path(name, preset, results).read_bytes())
    except (OSError, ValidationError):
        return None


def made_record(entry: Entry, preset: str, folder: Path | None = None, results: Path = RESULTS) -> BankRecord | None:
    """Reads the record of a suspect if it describes the present checkpoint.

    Args:
        entry: the suspect in the bank's list.
        preset: the training preset.
        folder: folder of all suspects; None for the project's own folders.
        results: folder of all results.

    Returns:
        The record, or None if the checkpoint is missing or another one.
    """
    path, record = entry.path(preset, folder), read_bank_record(entry.name, preset, results)
    if record is None or not path.exists() or record.sha256 != file_digest(path):
        return None
    return record
