"""Scans suspects of the bank and saves one file for each scan."""

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
from aegis.data.derived import DERIVED
from aegis.detect.verdict import judge_again
from aegis.experiments.smoke import smallest
from aegis.lab.bank.record import RESULTS, BankRecord
from aegis.records.config import Rule, ScanConfig, VerdictConfig
from aegis.records.fitting import verdict_settings
from aegis.records.presets import adjusted, preset
from aegis.records.record import ScanRecord, config_record, read_record
from aegis.records.reference_files import shipped_references

CODE = "detector"
# Compressed, a scan of ten classes takes 7 KB instead of 55.
ENDING = ".json.gz"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One scan of one suspect of the bank.

    Args:
        suspect: record of the suspect.
        checkpoint: its file.
        training: the preset that it was trained with.
        preset, seed, device, precision: settings of the scan.
        results: folder of all results.
        is_smoke: whether it is as small as it can be, only to show that it runs.
    """

    suspect: BankRecord
    checkpoint: Path
    training: str = "quick"
    preset: str = "default"
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    results: Path = RESULTS
    is_smoke: bool = False

    @property
    def path(self) -> Path:
        """The file of the outcome."""
        return self.results / "scans" / self.training / self.preset / f"{self.suspect.name}-seed{self.seed}{ENDING}"

    def needs(self) -> tuple[Path, ...]:
        """The checkpoint."""
        return (self.checkpoint,)

    def makes(self) -> tuple[Path, ...]:
        """The file of the outcome, as all that is made."""
        return (self.path,)

    @property
    def images(self) -> Dataset:
        """The images of the scan: the bundled sample, as an analyst would use, or the whole of a derived data set."""
        name = self.suspect.data
        return _images(name if name in DERIVED else default_source(name))

    @property
    def config(self) -> ScanConfig:
        """The settings of the scan, with references of its data if any come with AEGIS."""
        return self._settings[0]

    @property
    def _settings(self) -> tuple[ScanConfig, dict[str, Any]]:
        images = self.images
        return _settings(self.preset, self.seed, images.name, images.shape, images.digest, self.is_smoke)

    def find(self) -> ScanRecord | None:
        """Reads the saved scan if checkpoint, settings, images and precision are the same.

        If only thresholds have changed since, the scan is judged again by the present ones.

        Returns:
            The scan, or None.
        """
        try:
            record = read_record(self.path)
        except StoreError:
            return None
        config, asked = self._settings
        same = (
            record.model.sha256 == self.suspect.sha256
            and record.data.digest == self.images.digest
            and _as_asked(record.config) == _as_asked(asked)
            and self.precision in ("auto", record.runtime.precision)
        )
        if not same:
            return None
        if record.config["verdict"] == asked["verdict"]:
            return record
        settings = record.config | {"verdict": asked["verdict"]}
        return judge_again(record, config.verdict).model_copy(update={"config": settings})

    def run(self, workers: int | None = None) -> ScanRecord:
        """Scans the suspect and saves the outcome.

        Args:
            workers: classes examined side by side, or None for one per processor core.

        Returns:
            The scan.

        Raises:
            AegisError: if checkpoint or images cannot be used, or the outcome cannot be written.
        """
        from aegis.core.runtime import choose_runtime
        from aegis.detect.scan import scan
        from aegis.models.load import load_checkpoint

        suspect, runtime = load_checkpoint(self.checkpoint), choose_runtime(self.device, self.precision, workers)
        record = scan(suspect, self.images, self.config, runtime=runtime).record(self.checkpoint.name)
        # The digest of the source tells apart scans by different versions of the detector.
        record = record.model_copy(update={"versions": record.versions | {CODE: code_digest(STEPS_CODE)[:16]}})
        self.keep(record)
        return record

    def keep(self, record: ScanRecord) -> None:
        """Saves a scan.

        Args:
            record: the scan.

        Raises:
            StoreError: if it cannot be written.
        """
        write_text(self.path, record.model_dump_json() + "\n")


def kept(trial: Trial) -> list[ScanRecord]:
    """Reads the saved scans of a trial with any seed.

    Args:
        trial: the trial; its seed is ignored.

    Returns:
        The scans, sorted by seed.
    """
    name = trial.path.name.removesuffix(f"{trial.seed}{ENDING}")
    digits = [path.name.removeprefix(name).removesuffix(ENDING) for path in trial.path.parent.glob(f"{name}*{ENDING}")]
    seeds = sorted(int(seed) for seed in digits if seed.isascii() and seed.isdigit())
    found = (replace(trial, seed=seed).find() for seed in seeds)
    return [record for record in found if record is not None]


def judged_by(rule: Rule, record: ScanRecord) -> ScanRecord:
    """Judges a scan by a rule, with the thresholds and references that it was judged by before.

    Args:
        rule: ``default`` or ``paper``.
        record: the scan.

    Returns:
        The scan with new verdicts.
    """
    return judge_again(record, replace(verdict_settings(record) or VerdictConfig(), rule=rule))


@lru_cache(maxsize=3)
def _images(source: str) -> Dataset:
    return load_dataset(source)


# The same for hundreds of scans, and with references slow to write as plain values.
@lru_cache(maxsize=64)
def _settings(
    name: str, seed: int, data: str, shape: tuple[int, int, int], digest: str, is_smoke: bool
) -> tuple[ScanConfig, dict[str, Any]]:
    """Gives the settings of a scan, also as a record has them."""
    config = adjusted(preset(name, data, shape), seed=seed)
    config = smallest(config) if is_smoke else config
    if config.verdict.rule != "paper":
        config = replace(config, verdict=replace(config.verdict, references=shipped_references(digest)))
    return config, config_record(config)


def _as_asked(config: dict[str, Any]) -> dict[str, Any]:
    """Settings that decide what is computed: without thresholds, and without sizes of triggers, which the model
    decides.
    """
    search = config["gather"]["trigger_search"]
    gather = config["gather"] | {"trigger_search": search and search | {"area": None, "radius": None}}
    return config | {"gather": gather, "verdict": (config["verdict"]["rule"], config["verdict"]["source_quantile"])}
