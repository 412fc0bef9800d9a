"""A small scan that is finished, with its suspect, its images and its store, for the pages that show one."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from aegis.core.types import LabelledImages, Stage
from aegis.data.arrays import Arrays
from aegis.data.npz import write_npz
from aegis.records.config import AssessConfig, EmbedConfig, GatherConfig, ScanConfig, TriggerSearchConfig, VerdictConfig
from aegis.records.record import ScanRecord
from tests.candidates import NULLS
from tests.shared import once
from tests.suspects import HOSTILE

# Names that try to be markup, formulas and too long.
NAMES = ("=bag", "<b>bold</b> **shirt** $x$", "long " * 30, HOSTILE[4])
TESTED = (0, 1, 3)
KEY = "f" * 64
CONFIG = ScanConfig(
    assess=AssessConfig(images=20, epsilons=(0.5, 1.0), iterations=2),
    gather=GatherConfig(
        seeds=60,
        stages=(Stage(epsilon=2, step=1, iterations=2), Stage(epsilon=8, step=3, iterations=3)),
        components=10,
        trigger_search=TriggerSearchConfig(
            area=0.05, clusters=2, tiles=1, top_k=1, steps=2, refine_steps=2, batch=16, held_out=4
        ),
    ),
    embed=EmbedConfig(perplexity=8),
    verdict=VerdictConfig(nulls=NULLS),
)


@dataclass(frozen=True)
class Finished:
    """A scan that is done.

    Args:
        key: by which the store finds it.
        record: of the scan.
        store, suspects: folders, for ``AEGIS_STORE`` and ``AEGIS_SUSPECTS``.
        images: the NPZ file.
    """

    key: str
    record: ScanRecord
    store: Path
    suspects: Path
    images: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make a dashboard find it."""
        return {"AEGIS_STORE": str(self.store), "AEGIS_SUSPECTS": str(self.suspects)}


def finish(folder: Path) -> Finished:
    """Scan a hardly trained model over made-up images, as the command line does."""
    from aegis.core.runtime import Runtime
    from aegis.data import load_dataset
    from aegis.detect.scan import STEPS, scan
    from aegis.models.load import load_checkpoint
    from aegis.store.cached_steps import stored
    from aegis.store.store import Store

    images, suspects, store = folder / "images.npz", folder / "suspects", folder / "store"
    write_npz(images, _pictures(), compress=False)
    suspects.mkdir()
    path = suspects / "suspect.safetensors"
    data, runtime = load_dataset(images), Runtime()
    _write_model(path, data.train)
    suspect = load_checkpoint(path)
    kept = Store(store)
    steps = stored(STEPS, kept, suspect.digest, data.digest, runtime)
    record = scan(suspect, data, CONFIG, labels=TESTED, runtime=runtime, steps=steps).record(path.name)
    kept.keep_scan(KEY, record)
    return Finished(KEY, record, store, suspects, images)


def copy_of_finished(factory: pytest.TempPathFactory) -> Finished:
    """The same scan, made once in a run, with a store of one's own."""
    made = once(factory, "finished", finish)
    store = shutil.copytree(made.store, factory.mktemp("finished") / "store")
    return replace(made, store=store)


def _pictures() -> Arrays:
    generator = np.random.default_rng(0)
    parts = []
    for each in (60, 6):
        labels = np.repeat(np.arange(4), each)
        bright = np.where(np.arange(4)[:, None, None] == np.arange(16).reshape(4, 4)[None] % 4, 160, 30)
        pixels = bright[labels].repeat(2, axis=1).repeat(2, axis=2) + generator.integers(0, 60, (len(labels), 8, 8))
        parts += [pixels.astype(np.uint8), labels]
    return Arrays(*parts, class_names=NAMES)


def _write_model(path: Path, images: LabelledImages) -> None:
    import torch
    from safetensors.torch import save_file

    from aegis.models.architectures import build
    from aegis.models.card import Card, Identity

    pixels, labels = torch.from_numpy(images.pixels), torch.from_numpy(images.labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build("aegis:cnn16", 1, len(NAMES))
        optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
        for _ in range(20):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(network(pixels), labels).backward()
            optimiser.step()
    identity = Identity(architecture="aegis:cnn16", class_names=NAMES, shape=(1, 8, 8))
    save_file(network.state_dict(), os.fspath(path), Card(identity, None).as_metadata())
