"""Reads what is recorded of the paper's models, and remembers which files that was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from aegis.core.errors import StoreError
from aegis.core.files import read_text_bytes
from aegis.experiments.bank_scans import ENDING, Trial, kept
from aegis.experiments.paper.models import Key, name_of
from aegis.experiments.rivals import RivalRecord, RivalTrial
from aegis.experiments.sweep import SweepRecord, sweeps_of
from aegis.lab.bank.record import RESULTS, BankRecord, made_record, record_path
from aegis.lab.bank.suspects import Entry, read_bank
from aegis.records.detectors import DetectorRecord
from aegis.records.record import ScanRecord

Kind = TypeVar("Kind", bound=BaseModel)

# Where ``benchmarks.gpu.scale`` wrote, and how the names of its trainings end.
SCALE, TRAINING = Path("gpu", "scale"), "-training.json"


class ScaleTraining(BaseModel):
    """How a model of the paper's size was trained.

    Args:
        seconds: of the training.
        recipe: its settings.
        architecture: as in ``architectures.build``.
        metrics: what was measured after it, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float
    recipe: dict[str, Any]
    architecture: str
    metrics: dict[str, float]


class Records:
    """The records of one training preset.

    Args:
        training: *quick* or *paper*.
        results: folder of all results.
        bank: the suspects by name, as they are to be trained; None for the bank's own.
        is_smoke: whether runs are as small as they can be, as in ``Trial``.
    """

    def __init__(
        self,
        training: str = "quick",
        results: Path = RESULTS,
        bank: Mapping[str, Entry] | None = None,
        *,
        is_smoke: bool = False,
    ) -> None:
        self.training, self.results, self.is_smoke = training, results, is_smoke
        self._bank = bank or read_bank()
        self._read: set[Path] = set()

    @property
    def files(self) -> list[str]:
        """Every file that was read, by its path in the folder of results."""
        return sorted(path.relative_to(self.results).as_posix() for path in self._read)

    def models(self, names: Iterable[str]) -> dict[str, BankRecord]:
        """Reads records of suspects that were made by their present recipe.

        Args:
            names: of the suspects.

        Returns:
            Records by name; those without one are left out.

        Raises:
            StoreError: if a record is damaged.
        """
        found = {}
        for name in names:
            path = record_path(name, self.training, self.results)
            record = _read(BankRecord, path)
            if record is not None and record.made_by(self._bank[name], self.training):
                found[name] = record
                self._read.add(path)
        return found

    def scans(self, preset: str, models: Iterable[Key]) -> dict[Key, list[ScanRecord]]:
        """Reads scans of robust models.

        Args:
            preset: of the scans.
            models: data set and trigger of each.

        Returns:
            Scans sorted by seed; models without any are left out.

        Raises:
            StoreError: if a record is damaged.
        """
        found = {key: self._scans_of(name_of(True, *key), preset) for key in models}
        return {key: scans for key, scans in found.items() if scans}

    def first_scans(self, preset: str, names: Iterable[str]) -> dict[str, ScanRecord]:
        """Reads one scan of any suspects, that with the smallest seed.

        Args:
            preset: of the scans.
            names: of the suspects.

        Returns:
            Scans by name; suspects without one are left out.

        Raises:
            StoreError: if a record is damaged.
        """
        found = {name: self._scans_of(name, preset) for name in names}
        return {name: scans[0] for name, scans in found.items() if scans}

    def _scans_of(self, name: str, preset: str) -> list[ScanRecord]:
        trial = self._trial(name, preset)
        if trial is None:
            return []
        for path in trial.path.parent.glob(f"{trial.suspect.name}-seed*{ENDING}"):
            _read(ScanRecord, path)
        scans = kept(trial)
        self._read |= {replace(trial, seed=scan.config["gather"]["seed"]).path for scan in scans}
        return scans

    def sweeps(self) -> Mapping[str, list[SweepRecord]]:
        """Reads sweeps of the six models with visible triggers.

        Returns:
            Sweeps by data set.

        Raises:
            StoreError: if a record is damaged.
        """
        found: dict[str, list[SweepRecord]] = {}
        for task in sweeps_of(training=self.training, results=self.results, is_smoke=self.is_smoke):
            _read(SweepRecord, task.path)
            if (record := task.find()) is not None:
                found.setdefault(task.trial.suspect.data, []).append(record)
                self._read.add(task.path)
        return found

    def rivals(self, detector: str, names: Iterable[str]) -> dict[str, DetectorRecord]:
        """Reads what another detector says about suspects, with seed 0.

        Args:
            detector: one of ``BASELINES``.
            names: of the suspects.

        Returns:
            Outcomes by name; suspects without one are left out.

        Raises:
            StoreError: if a record is damaged.
        """
        found = {}
        for name in names:
            trial = self._trial(name, "default")
            if trial is None:
                continue
            rival = RivalTrial(name=detector, trial=trial)
            _read(RivalRecord, rival.path)
            if (record := rival.find()) is not None:
                found[name] = record.detector
                self._read.add(rival.path)
        return found

    def trained_at_scale(self) -> dict[str, ScaleTraining]:
        """Reads how models of the paper's size were trained on a GPU.

        Returns:
            Trainings by name of the model, as in the bank.

        Raises:
            StoreError: if a record is damaged.
        """
        found = {}
        for path in sorted((self.results / SCALE).glob(f"*{TRAINING}")):
            if (record := _read(ScaleTraining, path)) is not None:
                found[path.name.removesuffix(TRAINING)] = record
                self._read.add(path)
        return found

    def scanned_at_scale(self, preset: str) -> dict[str, list[ScanRecord]]:
        """Reads scans of models of the paper's size.

        Args:
            preset: of the scans.

        Returns:
            Scans by name of the model, as in the bank.

        Raises:
            StoreError: if a record is damaged.
        """
        found: dict[str, list[ScanRecord]] = {}
        for path in sorted((self.results / SCALE).glob(f"*-{preset}-seed*.json")):
            if (record := _read(ScanRecord, path)) is not None:
                found.setdefault(path.name.partition("-")[0], []).append(record)
                self._read.add(path)
        return found

    def _trial(self, name: str, preset: str) -> Trial | None:
        """A scan of a suspect whose checkpoint is there and made by its present recipe."""
        entry = self._bank[name]
        _read(BankRecord, record_path(name, self.training, self.results))
        suspect = made_record(entry, self.training, results=self.results)
        if suspect is None or not suspect.made_by(entry, self.training):
            return None
        checkpoint = entry.path(self.training)
        return Trial(
            suspect=suspect,
            checkpoint=checkpoint,
            training=self.training,
            preset=preset,
            results=self.results,
            is_smoke=self.is_smoke,
        )


def _read(kind: type[Kind], path: Path) -> Kind | None:
    """Reads a record; None where there is none.

    Records that are found by their settings pass here first, since a damaged one must not count as not made.
    """
    try:
        return kind.model_validate_json(read_text_bytes(path))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        advice = "Restore the file, or remove it and let aegis bank make it anew."
        raise StoreError("a record as aegis bank writes it", f"{path}, which is damaged", advice) from error
