"""Makes the suspects of the bank, several side by side; run again, it makes what is missing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from aegis.core.errors import ConfigError
from aegis.core.runtime import choose_runtime
from aegis.core.types import Dataset
from aegis.core.version import versions_with
from aegis.data import load_dataset
from aegis.fleet.local import processes
from aegis.lab.bank.record import RESULTS, BankRecord, BuildInfo, keep_record, read_bank_record, record_of
from aegis.lab.bank.suspects import Entry, read_made
from aegis.lab.suspect import make_suspect, state_of
from aegis.lab.triggers import TriggerContext
from aegis.models.intake.formats import file_digest
from aegis.models.load import load_checkpoint

PACKAGES = ("torch", "torchvision", "numpy")


# Told of a suspect that cannot be made, and why.
Failed = Callable[[Entry, Exception], None]


def _ignored(entry: Entry, error: Exception) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class BankBuilder:
    """How and where suspects are made.

    Args:
        preset: of training.
        folder: where they are kept; None for the project's own folders.
        results: where records of them are kept.
        device, precision: as in ``runtime.choose_runtime``.
        source: gives a data set by name.
    """

    preset: str = "quick"
    folder: Path | None = None
    results: Path = RESULTS
    device: str = "auto"
    precision: str = "auto"
    source: Callable[[str], Dataset] = load_dataset

    def make(self, entry: Entry, base: Path | None = None) -> BankRecord:
        """One suspect, trained on one thread, so that the number of cores does not change it.

        Args:
            entry: what to make.
            base: the checkpoint that its adversarial trigger is made on, where it has one.

        Raises:
            AegisError: if it cannot be made.
        """
        torch.set_num_threads(1)
        order, path = entry.order(self.preset), entry.path(self.preset, self.folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        data, runtime = _images(self.source, entry.data), choose_runtime(self.device, self.precision)
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
        return self._keep(record_of(entry, path, card, making))

    def find(self, entry: Entry) -> BankRecord | None:
        """The record of one suspect if it was made by this very recipe; one without a record gets it."""
        path = entry.path(self.preset, self.folder)
        card = read_made(path, entry.order(self.preset), entry.data)
        if card is None:
            return None
        # Killed just before its end, a training leaves its state beside what it has made.
        state_of(path).unlink(missing_ok=True)
        known = read_bank_record(entry.name, self.preset, self.results)
        if known is not None and known.sha256 == file_digest(path):
            return known
        return self._keep(record_of(entry, path, card, None))

    def _keep(self, record: BankRecord) -> BankRecord:
        keep_record(record, self.preset, self.results)
        return record

    def make_all(
        self, entries: Iterable[Entry], jobs: int | None = None, failed: Failed = _ignored
    ) -> Iterator[tuple[BankRecord, bool]]:
        """The record of what is there and then of what was made, as it is finished, and whether it was made now.

        Args:
            entries: what to make, with those that others are made on.
            jobs: processes side by side; None takes one for each processor core, and one on a GPU.
            failed: told of each that cannot be made, as soon as that is known.

        Raises:
            AegisError: once all others are made, for the first that cannot be.
        """
        entries = list(entries)
        if jobs is not None and jobs < 1:
            raise ConfigError("at least 1 job", str(jobs), "Leave it out to use every processor core.")
        for entry in entries:
            if entry.on is not None and entry.on not in {other.name for other in entries}:
                raise ConfigError(
                    f"{entry.on}, on which {entry.name} is made", "suspects without it", "Ask for both of them."
                )
        runtime = choose_runtime(self.device, self.precision, jobs)
        found = {entry.name: self.find(entry) for entry in entries}
        # A trigger that was made on what is made anew would be one on something else.
        missing = [e for e in entries if found[e.name] is None or (e.on in found and found[e.on] is None)]
        for entry in entries:
            if entry not in missing and (record := found[entry.name]) is not None:
                yield record, False
        with processes(runtime.workers) as pool:
            yield from self._make(pool, entries, missing, failed)

    def _make(
        self, pool: ProcessPoolExecutor, entries: list[Entry], missing: list[Entry], failed: Failed
    ) -> Iterator[tuple[BankRecord, bool]]:
        paths = {entry.name: entry.path(self.preset, self.folder) for entry in entries}
        unmade, waiting, running = {entry.name for entry in missing}, missing, dict[Future[BankRecord], Entry]()
        first: Exception | None = None
        while running or any(entry.on not in unmade for entry in waiting):
            # One that is made on another waits for it, in vain if that one cannot be made.
            ready = [entry for entry in waiting if entry.on not in unmade]
            waiting = [entry for entry in waiting if entry not in ready]
            running |= {pool.submit(self.make, entry, paths.get(entry.on or "")): entry for entry in ready}
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                entry = running.pop(future)
                error = future.exception()
                if error is None:
                    unmade.remove(entry.name)
                    yield future.result(), True
                elif not isinstance(error, Exception) or isinstance(error, BrokenExecutor):
                    raise error
                else:
                    first = first or error
                    failed(entry, error)
        if first is not None:
            raise first


@lru_cache(maxsize=1)
def _images(source: Callable[[str], Dataset], name: str) -> Dataset:
    return source(name)
