"""Scans of the bank: one file a scan, many of them side by side; run again, it does what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path

from aegis.data import default_source, load_dataset
from aegis.detect.config import adjusted, preset
from aegis.detect.record import ScanRecord, read_record
from aegis.errors import ConfigError, StoreError
from aegis.files import write_text
from aegis.lab.bank_record import RESULTS, BankRecord
from aegis.lab.processes import processes
from aegis.models.formats import file_digest


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One scan of one suspect.

    Args:
        name: of the suspect.
        checkpoint: its file.
        data: name of its data set, of which the bundled sample is used, as an analyst would.
        preset, seed: of the scan.
        results: the folder of all results.
    """

    name: str
    checkpoint: Path
    data: str
    preset: str
    seed: int
    results: Path = RESULTS

    @property
    def path(self) -> Path:
        """Where the outcome is kept."""
        return self.results / "scans" / self.preset / f"{self.name}-seed{self.seed}.json"

    def find(self) -> ScanRecord | None:
        """The outcome, if this very checkpoint was scanned."""
        try:
            record = read_record(self.path)
        except StoreError:
            return None
        return record if record.model.sha256 == file_digest(self.checkpoint) else None

    def run(self, device: str = "auto", precision: str = "auto", workers: int | None = None) -> ScanRecord:
        """Scan, and keep the outcome.

        Raises:
            AegisError: if checkpoint or images cannot be used, or the outcome cannot be written.
        """
        from aegis.detect.scan import scan
        from aegis.models.load import load_checkpoint
        from aegis.runtime import choose_runtime

        images = load_dataset(default_source(self.data))
        config = adjusted(preset(self.preset, images.name, images.shape), seed=self.seed)
        suspect = load_checkpoint(self.checkpoint)
        result = scan(suspect, images, config, runtime=choose_runtime(device, precision, workers))
        record = result.record(self.checkpoint.name)
        write_text(self.path, record.model_dump_json() + "\n")
        return record


def trials_of(
    suspects: Iterable[tuple[BankRecord, Path]], preset: str, seeds: Iterable[int], results: Path = RESULTS
) -> list[Trial]:
    """Every suspect with every seed; all suspects with the first seed before any with the second."""
    suspects = list(suspects)
    return [
        Trial(name=record.name, checkpoint=path, data=record.data, preset=preset, seed=seed, results=results)
        for seed in seeds
        for record, path in suspects
    ]


def run_all(
    trials: Iterable[Trial], jobs: int = 1, device: str = "auto", precision: str = "auto"
) -> Iterator[tuple[Trial, ScanRecord, bool]]:
    """The outcome of every trial, and whether it was computed now; first those that were there.

    Args:
        trials: what to scan.
        jobs: processes side by side. With one, a scan examines classes side by side; with more, each has one core.
        device, precision: as in ``runtime.choose_runtime``.

    Raises:
        AegisError: for the first that fails; those under way end.
    """
    if jobs < 1:
        raise ConfigError("at least 1 job", str(jobs), "Leave it out to scan one suspect at a time.")
    missing = []
    for trial in trials:
        if (found := trial.find()) is not None:
            yield trial, found, False
        else:
            missing.append(trial)
    if jobs == 1:
        for trial in missing:
            yield trial, trial.run(device, precision), True
        return
    with processes(jobs) as pool:
        futures = {pool.submit(trial.run, device, precision, 1): trial for trial in missing}
        for future in as_completed(futures):
            yield futures[future], future.result(), True
