"""Work that can be killed: its command, its expected result and the parts that were finished for good."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from aegis.data import load_dataset
from aegis.store.store import Store
from benchmarks.nursery import Nursery

CLASSES, TRAIN, TEST = 4, 100, 15
EPOCHS = 6
TRAINING = ("--arch", "aegis:cnn16", "--standard", "--epochs", str(EPOCHS), "--precision", "fp32", "--quiet")
SCAN = ("--preset", "paper", "--iterations", "3", "--seeds", "30", "--perplexity", "8", "--precision", "fp32")
SCAN += ("--workers", "1", "--classes", "1,2", "--quiet")


# Number of the event before which a process dies, 0 for none, and the seconds that it lives on after that.
Moment = tuple[int, float]
NEVER = (0, 0.0)


@dataclass(frozen=True)
class Ran:
    """What a process left.

    Args:
        code: exit code, negative for a signal.
        said: its output.
        moments: seconds, event and path of each change in its folder.
    """

    code: int
    said: str
    moments: list[tuple[float, str, str]]

    @property
    def renamed(self) -> list[str]:
        """Files that were renamed to their final names."""
        return [path for _, event, path in self.moments if event == "os.rename"]


@dataclass(frozen=True)
class Bench:
    """A folder with images, a model and a finished scan, made once.

    Args:
        folder: empty.
        nursery: where processes come from.
    """

    folder: Path
    nursery: Nursery

    def make(self) -> None:
        """Make the images (four digits at half size), a model trained for seconds, and a scan."""
        data = load_dataset("samples:mnist")
        parts: dict[str, np.ndarray] = {}
        for split, images, count in (("train", data.train, TRAIN), ("test", data.test, TEST)):
            chosen = np.concatenate([np.flatnonzero(images.labels == label)[:count] for label in range(CLASSES)])
            small = images.pixels[chosen, 0].reshape(len(chosen), 14, 2, 14, 2).mean(axis=(2, 4))
            parts |= {f"x_{split}": np.round(small * 255).astype(np.uint8), f"y_{split}": images.labels[chosen]}
        np.savez(self.folder / "images.npz", **parts)
        for command in (
            ("train", "model.safetensors", "--data", "images.npz", *TRAINING),
            ("scan", "model.safetensors", "--data", "images.npz", *SCAN, "--json", "result.json"),
        ):
            done = self.run(self.folder, self.folder / "store", command)
            if done.code not in (0, 1, 3):
                sys.exit(f"aegis {command[0]} failed: {done.said}")

    def run(
        self,
        folder: Path,
        store: Path,
        command: tuple[str, ...],
        moment: Moment = NEVER,
    ) -> Ran:
        """Run a command in a process of its own.

        Args:
            folder: where it runs.
            store: that it uses.
            command: arguments.
            moment: when it is killed.

        Returns:
            What it left.
        """
        log, out = self.folder / "log", self.folder / "out"
        victim = [str(folder), str(log), *map(str, moment), "--", *command]
        code = self.nursery.run(victim, self.folder, store, out)
        lines = (line.split(" ", 2) for line in log.read_text().splitlines())
        return Ran(code, out.read_text(), [(float(t), event, path) for t, event, path in lines])


@dataclass(eq=False)
class Work:
    """One kind of work; every attempt has a folder and a store of its own.

    Args:
        bench: with what it works on.
    """

    bench: Bench
    name: ClassVar[str]

    @property
    def folder(self) -> Path:
        """The folder of the attempt."""
        return self.bench.folder / self.name

    @property
    def store(self) -> Path:
        """The store of the attempt."""
        return self.folder / "store"

    def prepare(self) -> None:
        """Empty the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()

    def command(self) -> tuple[str, ...]:
        """Give the arguments of the command.

        Returns:
            The arguments.
        """
        raise NotImplementedError

    def outcome(self, ran: Ran) -> str:
        """Digest the result, which must be the same whether it was killed or not.

        Args:
            ran: what the process left.

        Returns:
            The digest; empty without a result.
        """
        raise NotImplementedError

    def may_be(self, outcome: str, expected: str) -> bool:
        """Tell whether a killed attempt may have left this result.

        Args:
            outcome: digest of its result.
            expected: digest of the complete result.

        Returns:
            True if it may.
        """
        return outcome in ("", expected)

    def is_over(self, outcome: str, expected: str) -> bool:
        """Tell whether nothing is left to resume, so that nothing may be shown as interrupted.

        Args:
            outcome: digest of the result.
            expected: digest of the complete result.

        Returns:
            True if nothing is left.
        """
        return outcome == expected

    def units(self, ran: Ran) -> set[str]:
        """List the parts that were finished for good.

        Args:
            ran: what the process left.

        Returns:
            Their names.
        """
        return {path.name for path in (self.store / "arrays").glob("*.npz")}

    def repeated(self, ran: Ran, units: set[str]) -> set[str]:
        """List the finished parts that the second start computed again.

        Args:
            ran: what the second start left.
            units: names of the finished parts.

        Returns:
            Names of those computed again.
        """
        return units & {Path(path).name for path in ran.renamed}

    def run(self, moment: Moment = NEVER) -> Ran:
        """Run the command, killed at a moment or not.

        Args:
            moment: when it is killed.

        Returns:
            What it left.
        """
        return self.bench.run(self.folder, self.store, self.command(), moment)


class Scan(Work):
    """A scan of four classes."""

    name = "scan"

    def command(self) -> tuple[str, ...]:
        return ("scan", "model.safetensors", "--data", "images.npz", *SCAN, "--json", f"{self.folder / 'out.json'}")

    def outcome(self, ran: Ran) -> str:
        path = self.folder / "out.json"
        if not path.exists():
            return ""
        plain = json.loads(path.read_text())
        return json.dumps({name: value for name, value in plain.items() if name not in ("created", "seconds")})

    def is_over(self, outcome: str, expected: str) -> bool:
        return bool(Store(self.store).scans(1))


class Training(Work):
    """A training of some epochs; the state between them is on the disk."""

    name = "training"

    def command(self) -> tuple[str, ...]:
        return ("train", f"{self.folder / 'out.safetensors'}", "--data", "images.npz", *TRAINING)

    def outcome(self, ran: Ran) -> str:
        return _digest(self.folder / "out.safetensors")

    def units(self, ran: Ran) -> set[str]:
        import torch

        # Without a state file the training has not begun or has ended; the next one starts anew.
        state = self.folder / "out.safetensors.partial"
        done = torch.load(state, weights_only=True)["epoch"] if state.exists() else 0
        return {f"epoch {number}" for number in range(done)}

    def repeated(self, ran: Ran, units: set[str]) -> set[str]:
        # The second start trained the last epochs.
        did = sum(path.endswith(".safetensors.partial") for path in ran.renamed)
        return units & {f"epoch {number}" for number in range(EPOCHS - did, EPOCHS)}


class Report(Work):
    """A PDF of the finished scan."""

    name = "report"

    def prepare(self) -> None:
        super().prepare()
        shutil.copytree(self.bench.folder / "store", self.store)

    def command(self) -> tuple[str, ...]:
        return ("report", "result.json", "--pdf", f"{self.folder / 'out.pdf'}")

    def outcome(self, ran: Ran) -> str:
        return _digest(self.folder / "out.pdf")

    def units(self, ran: Ran) -> set[str]:
        return {"report"} if self.outcome(ran) else set()

    def repeated(self, ran: Ran, units: set[str]) -> set[str]:
        # A report is always written anew.
        return set()


class Writes(Work):
    """Arrays, scans and reviews, written to a store one after the other."""

    name = "writes"

    def command(self) -> tuple[str, ...]:
        return ("writes", os.fspath(self.store))

    def outcome(self, ran: Ran) -> str:
        store = Store(self.store)
        kept = [key for key, _ in store.scans(None) if store.load(key) is not None and store.reviews_of(key)]
        return " ".join(sorted(kept))

    def may_be(self, outcome: str, expected: str) -> bool:
        return set(outcome.split()) <= set(expected.split())

    def is_over(self, outcome: str, expected: str) -> bool:
        return True  # each round is, before the next begins

    def units(self, ran: Ran) -> set[str]:
        # What the process reported as done, since that must be found afterwards.
        return set(ran.said.split())

    def repeated(self, ran: Ran, units: set[str]) -> set[str]:
        return units & set(ran.said.split())


WORKS = (Scan, Training, Report, Writes)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
