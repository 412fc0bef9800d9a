"""Trains the suspects of the bank, several side by side; a second run trains only those that are missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import torch

from aegis.core.errors import ConfigError
from aegis.core.runtime import choose_runtime
from aegis.core.types import Dataset
from aegis.core.version import versions_with
from aegis.data import load_dataset
from aegis.data.reader import same_images
from aegis.fleet.executor import Executor
from aegis.fleet.portable import Portable
from aegis.fleet.tasks import run_all
from aegis.lab.bank.record import RESULTS, BankRecord, BuildInfo, keep_record, read_bank_record, record_of, record_path
from aegis.lab.bank.suspects import Entry, read_made
from aegis.lab.suspect import make_suspect, state_of
from aegis.lab.triggers import TriggerContext
from aegis.models.intake.formats import file_digest
from aegis.models.load import load_checkpoint

PACKAGES = ("torch", "torchvision", "numpy")


@dataclass(frozen=True, kw_only=True)
class BankBuilder:
    """Trains suspects and writes their records.

    Args:
        preset: the training preset.
        folder: folder of all suspects; None for the project's own folders.
        results: folder of their records.
        device, precision: as in ``runtime.choose_runtime``.
        source: loads a data set by name.
        digests: that data sets have in hex, by name, so that no other machine takes others for them.
    """

    preset: str = "quick"
    folder: Path | None = None
    results: Path = RESULTS
    device: str = "auto"
    precision: str = "auto"
    source: Portable = load_dataset
    digests: Mapping[str, str] = field(default_factory=dict)

    def make(self, entry: Entry, base: Path | None = None) -> BankRecord:
        """Trains one suspect, on one thread so that the number of cores does not change it.

        Args:
            entry: the suspect.
            base: checkpoint that its trigger or poison is computed on, or None.

        Returns:
            Its record.

        Raises:
            AegisError: if it cannot be made.
        """
        torch.set_num_threads(1)
        order, path = entry.order(self.preset), entry.path(self.preset, self.folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = same_images(_images(self.source, entry.data), self.digests.get(entry.data, ""))
        runtime = choose_runtime(self.device, self.precision)
        context = None
        if base is not None:
            context = TriggerContext(load_checkpoint(base).classifier.frozen(runtime), data.train)
        resumed, start = state_of(path).exists(), time.perf_counter()
        card = make_suspect(path, order, data, runtime=runtime, context=context, half=True)
        making = BuildInfo(
            seconds=round(time.perf_counter() - start, 1),
            resumed=resumed,
            device=runtime.device,
            precision=runtime.precision,
            versions=versions_with(PACKAGES),
        )
        record = record_of(entry, path, card, making)
        keep_record(record, self.preset, self.results)
        return record

    def _with_digests(self, entries: Iterable[Entry]) -> BankBuilder:
        names = {entry.data for entry in entries if self.find(entry) is None}
        return replace(self, digests={name: self.source(name).digest for name in names})

    def find(self, entry: Entry) -> BankRecord | None:
        """Finds the record of a suspect that was made by the present recipe, and writes the record if it is missing.

        Args:
            entry: the suspect.

        Returns:
            The record, or None if the suspect must be trained.
        """
        path = entry.path(self.preset, self.folder)
        card = read_made(path, entry.order(self.preset), entry.data)
        if card is None:
            return None
        # Killed just before its end, a training leaves its state beside what it has made.
        state_of(path).unlink(missing_ok=True)
        known = read_bank_record(entry.name, self.preset, self.results)
        if known is not None and known.sha256 == file_digest(path):
            return known
        record = record_of(entry, path, card, None)
        keep_record(record, self.preset, self.results)
        return record

    def make_all(
        self,
        entries: Iterable[Entry],
        jobs: int | None = None,
        failed: Callable[[Entry, Exception], None] = lambda *_: None,
        tick: Callable[[], None] | None = None,
        executor: Executor | None = None,
    ) -> Iterator[tuple[BankRecord, bool]]:
        """Finds or trains suspects, and gives each record as soon as it is known.

        Args:
            entries: the suspects, with those that triggers or poison are computed on.
            jobs: number of processes; None takes as many as ``choose_runtime`` has workers.
            failed: is told of each suspect that cannot be made, and why; only those that depend on it are stopped.
            tick, executor: as in ``run_all``.

        Returns:
            Pairs of a record and whether the suspect was trained now.

        Raises:
            AegisError: once all others are made, for the first suspect that cannot be.
        """
        entries = list(entries)
        if jobs is not None and jobs < 1:
            raise ConfigError("at least 1 job", str(jobs), "Leave it out to use every processor core.")
        position = {entry.name: i for i, entry in enumerate(entries)}
        for entry in entries:
            if entry.on is not None and entry.on not in position:
                raise ConfigError(
                    f"{entry.on}, on which {entry.name} is made", "suspects without it", "Ask for both of them."
                )
        paths = {entry.name: entry.path(self.preset, self.folder) for entry in entries}
        builder = self if executor is None else self._with_digests(entries)
        tasks = [Training(builder, entry, paths.get(entry.on or "")) for entry in entries]
        # A trigger that was optimised on a model made anew would be one for another model.
        after = {i: position[entry.on] for i, entry in enumerate(entries) if entry.on is not None}

        outcomes = run_all(
            tasks,
            choose_runtime(self.device, self.precision, jobs).workers if executor is None else 1,
            after=after,
            isolated=True,
            failed=lambda i, error: failed(entries[i], error),
            tick=tick,
            executor=executor,
        )
        yield from ((record, now) for _, record, now in outcomes)


@dataclass(frozen=True)
class Training:
    """Makes one suspect as a task.

    Args:
        builder: trains it and writes its record.
        entry: the suspect.
        base: the checkpoint that its trigger or poison is computed on, or None.
    """

    builder: BankBuilder
    entry: Entry
    base: Path | None = None

    def needs(self) -> tuple[Path, ...]:
        """The checkpoint that it is computed on, if there is one."""
        return () if self.base is None else (self.base,)

    def makes(self) -> tuple[Path, ...]:
        """The checkpoint and its record."""
        builder = self.builder
        record = record_path(self.entry.name, builder.preset, builder.results)
        return (self.entry.path(builder.preset, builder.folder), record)

    def find(self) -> BankRecord | None:
        """Finds the record of the suspect, or None if it must be trained."""
        return self.builder.find(self.entry)

    def run(self, workers: int | None = None) -> BankRecord:
        """Trains the suspect on one thread, and saves it with its record.

        Args:
            workers: not used, since one thread gives the same weights on every machine.

        Returns:
            The record.

        Raises:
            AegisError: if it cannot be made.
        """
        return self.builder.make(self.entry, self.base)


@lru_cache(maxsize=1)
def _images(source: Callable[[str], Dataset], name: str) -> Dataset:
    return source(name)
