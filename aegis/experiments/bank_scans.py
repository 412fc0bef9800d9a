"""Scans of the bank, one file a scan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from aegis.core.errors import StoreError
from aegis.core.files import write_text
from aegis.core.source import STEPS_CODE, code_digest
from aegis.core.types import Dataset
from aegis.data import default_source, load_dataset
from aegis.detect.verdict import judge_again
from aegis.lab.bank.record import RESULTS, BankRecord
from aegis.records.config import Rule, ScanConfig, VerdictConfig
from aegis.records.presets import adjusted, preset
from aegis.records.record import ScanRecord, config_record, read_record

CODE = "detector"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One scan of one suspect.

    Args:
        suspect: what is known of it.
        checkpoint: its file.
        training: the preset that it was trained with.
        preset, seed, device, precision: of the scan.
        results: the folder of all results.
    """

    suspect: BankRecord
    checkpoint: Path
    training: str = "quick"
    preset: str = "default"
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    results: Path = RESULTS

    @property
    def path(self) -> Path:
        """Where the outcome is kept."""
        return self.results / "scans" / self.training / self.preset / f"{self.suspect.name}-seed{self.seed}.json"

    @property
    def images(self) -> Dataset:
        """What is scanned with: the bundled sample of its data set, as an analyst would."""
        return _images(default_source(self.suspect.data))

    @property
    def config(self) -> ScanConfig:
        """Settings of the scan."""
        return adjusted(preset(self.preset, self.images.name, self.images.shape), seed=self.seed)

    def find(self) -> ScanRecord | None:
        """The outcome, if this very checkpoint was scanned with these settings, images and this precision.

        Where thresholds are others by now, it is judged by those: they are no part of the scan itself.
        """
        try:
            record = read_record(self.path)
        except StoreError:
            return None
        config = self.config
        same = (
            record.model.sha256 == self.suspect.sha256
            and record.data.digest == self.images.digest
            and _as_asked(record.config) == _as_asked(config_record(config))
            and self.precision in ("auto", record.runtime.precision)
        )
        if not same:
            return None
        verdict = config_record(config)["verdict"]
        if record.config["verdict"] == verdict:
            return record
        return judge_again(record, config.verdict).model_copy(update={"config": record.config | {"verdict": verdict}})

    def run(self, workers: int | None = None) -> ScanRecord:
        """Scan, and keep the outcome.

        Raises:
            AegisError: if checkpoint or images cannot be used, or the outcome cannot be written.
        """
        from aegis.core.runtime import choose_runtime
        from aegis.detect.scan import scan
        from aegis.models.load import load_checkpoint

        suspect, runtime = load_checkpoint(self.checkpoint), choose_runtime(self.device, self.precision, workers)
        record = scan(suspect, self.images, self.config, runtime=runtime).record(self.checkpoint.name)
        # Of the source of what searches, since outcomes of two detectors must not be taken for one's.
        record = record.model_copy(update={"versions": record.versions | {CODE: code_digest(STEPS_CODE)[:16]}})
        self.keep(record)
        return record

    def keep(self, record: ScanRecord) -> None:
        """Write the outcome.

        Raises:
            StoreError: if it cannot be written.
        """
        write_text(self.path, record.model_dump_json() + "\n")


def kept(trial: Trial) -> list[ScanRecord]:
    """The outcomes of a trial with any seed, in their order."""
    name = trial.path.name.removesuffix(f"{trial.seed}.json")
    digits = [path.name.removeprefix(name).removesuffix(".json") for path in trial.path.parent.glob(f"{name}*.json")]
    seeds = sorted(int(seed) for seed in digits if seed.isascii() and seed.isdigit())
    found = (replace(trial, seed=seed).find() for seed in seeds)
    return [record for record in found if record is not None]


def judged_by(rule: Rule, record: ScanRecord) -> ScanRecord:
    """What a scan found, judged by a rule with its usual thresholds."""
    return judge_again(record, VerdictConfig(rule=rule))


@lru_cache(maxsize=3)
def _images(source: str) -> Dataset:
    return load_dataset(source)


def _as_asked(config: dict[str, Any]) -> dict[str, Any]:
    """What is computed with: no thresholds, and no sizes of triggers, which come from what the model's classes need."""
    search = config["gather"]["trigger_search"]
    gather = config["gather"] | {"trigger_search": search and search | {"area": None, "radius": None}}
    return config | {"gather": gather, "verdict": (config["verdict"]["rule"], config["verdict"]["source_quantile"])}
