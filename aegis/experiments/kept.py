"""Outcomes of experiments on suspects of the bank, each kept in a file and found again while nothing has changed."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from aegis.core.version import versions_with
from aegis.experiments.bank_scans import Trial
from aegis.lab.bank.record import RESULTS, made_record
from aegis.lab.bank.suspects import Entry
from aegis.records.builders import PACKAGES


class KeptRecord(BaseModel):
    """What every outcome says beside its numbers.

    Args:
        schema_version: version of the format.
        suspect: name of the suspect.
        sha256: SHA-256 of its checkpoint, in hex.
        data: digest of the images.
        plan: all settings that the outcome depends on.
        precision: precision of the network.
        seconds: time in seconds.
        versions: versions of the libraries, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    suspect: str
    sha256: str
    data: str
    plan: dict[str, Any]
    precision: str
    seconds: float
    versions: dict[str, str]


class OnSuspect(ABC):
    """An experiment on a suspect of the bank as a task, whose outcome is one file."""

    trial: Trial

    @property
    @abstractmethod
    def path(self) -> Path:
        """The file of the outcome."""

    def needs(self) -> tuple[Path, ...]:
        """The checkpoint."""
        return (self.trial.checkpoint,)

    def makes(self) -> tuple[Path, ...]:
        """The file of the outcome, as all that is made."""
        return (self.path,)


def kept_at(trial: Trial, room: str, *names: str) -> Path:
    """Gives the file of an outcome.

    Args:
        trial: the suspect.
        room: folder of the experiment among the results.
        names: of further folders, such as a detector's.
    """
    folder = Path(trial.results, room, trial.training, *names)
    return folder / f"{trial.suspect.name}-seed{trial.seed}.json"


Kept = TypeVar("Kept", bound=KeptRecord)


def find_kept(kind: type[Kept], path: Path, trial: Trial, plans: Iterable[dict[str, Any]]) -> Kept | None:
    """Reads a saved outcome if checkpoint, images and plan are the same.

    Args:
        kind: of the outcome.
        path: its file.
        trial: the suspect and its images.
        plans: plans of which any will do.

    Returns:
        The outcome; None if there is no such one.
    """
    try:
        record = kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    same = (record.sha256, record.data) == (trial.suspect.sha256, trial.images.digest)
    return record if same and record.plan in list(plans) else None


def origin(trial: Trial, precision: str, began: float) -> dict[str, Any]:
    """Lists the fields of an outcome that say what it is of and how it was computed.

    Args:
        trial: the suspect and its images.
        precision: precision of the network.
        began: when it was begun, by ``time.monotonic``.

    Returns:
        Values by name, without the plan.
    """
    return {
        "suspect": trial.suspect.name,
        "sha256": trial.suspect.sha256,
        "data": trial.images.digest,
        "precision": precision,
        "seconds": round(time.monotonic() - began, 1),
        "versions": versions_with(PACKAGES),
    }


def trials_of(
    entries: Iterable[Entry],
    *,
    training: str,
    preset: str = "default",
    device: str = "auto",
    precision: str = "auto",
    results: Path = RESULTS,
    is_smoke: bool = False,
) -> list[Trial]:
    """Lists trials of suspects that have been trained.

    Args:
        entries: the suspects.
        training: the preset that they were trained with.
        preset, device, precision, results, is_smoke: as in ``Trial``.

    Returns:
        One trial for each suspect.
    """
    return [
        Trial(
            suspect=record,
            checkpoint=entry.path(training),
            training=training,
            preset=preset,
            device=device,
            precision=precision,
            results=results,
            is_smoke=is_smoke,
        )
        for entry in entries
        if (record := made_record(entry, training, results=results))
    ]
