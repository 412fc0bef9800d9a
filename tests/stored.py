"""What the tests of the store keep in it."""

import dataclasses
import sqlite3
from contextlib import closing

import numpy as np

from aegis.core.runtime import Runtime
from aegis.core.types import FAMILIES, Applicability, Dataset, Embedding, Evidence, LabelledImages, Stage, Stamp
from aegis.detect.steps import Steps
from aegis.records.config import AssessConfig, EmbedConfig, GatherConfig
from aegis.records.record import DataRecord, ModelRecord, RuntimeRecord, ScanRecord
from aegis.store.cached_steps import stored
from tests.candidates import candidate

GATHER = GatherConfig(seeds=10, stages=(Stage(epsilon=1, step=0.5, iterations=2),))
ASSESS, EMBED = AssessConfig(), EmbedConfig()
CPU = Runtime()


def images(seed=0):
    generator = np.random.default_rng(seed)
    labels = np.arange(12, dtype=np.int64) % 4
    return LabelledImages(generator.random((12, 1, 6, 6), np.float32), labels, ("a", "b", "c", "d"))


def stamp(generator):
    return Stamp(generator.random((1, 6, 6), np.float32), generator.normal(size=(1, 6, 6)).astype(np.float32))


def evidence(label=2, triggers=4, seed=0):
    """Patches for classes of odd numbers work, and were pruned."""
    generator = np.random.default_rng(seed)
    works = label % 2 == 1
    found = tuple(
        candidate(
            family,
            label,
            generator.uniform(0.8, 1, 4) if works and family == "patch" else generator.uniform(0, 0.2, 4),
            stamp(generator),
            source=(label + 1) % 4 if family == "source-specific" else None,
            smallest=stamp(generator) if works and family == "patch" else None,
            smallest_rate=0.75 if works and family == "patch" else None,
            start=f"cluster {i} at 0.1 – 2",  # noqa: RUF001 - text outside ASCII
        )
        for i, family in enumerate(FAMILIES[:triggers])
    )
    return Evidence(
        label=label,
        budgets=(0.1, 1 / 3),
        seed_index=generator.permutation(12)[:5],
        train_index=generator.permutation(12)[:3],
        translated=generator.integers(0, 256, (2, 5, 1, 6, 6), dtype=np.uint8),
        features=generator.normal(size=(2, 8, 4)).astype(np.float32),
        success=generator.random(2, np.float32),
        triggers=found,
    )


def planes(found, seed=0):
    generator = np.random.default_rng(seed)
    return tuple(
        Embedding(generator.random((8, 2), np.float32), found.is_translated, budget) for budget in found.budgets
    )


def assert_same(one, other):
    """Equal in type and in every bit, however deep."""
    assert type(one) is type(other)
    if dataclasses.is_dataclass(one):
        for field in dataclasses.fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, tuple):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif isinstance(one, np.ndarray):
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    else:
        assert one == other


class Counted:
    """Steps that say how often each was computed."""

    def __init__(self, **results):
        self.calls = []
        self.results = results

    def steps(self):
        def step(name, otherwise):
            def compute(*arguments, report=None):
                self.calls.append(name)
                return self.results.get(name) or otherwise(*arguments)

            return compute

        called = np.random.default_rng(0).integers(0, 50, (2, 4, 4))
        measured = Applicability(0.9, (0.5, 1.0), (0.7, 1 / 3), called)
        return Steps(
            step("assess", lambda *_: measured),
            step("gather", lambda classifier, data, label, config: evidence(label)),
            step("embed", lambda found, config: planes(found)),
            step("look", lambda *_: measured),
            step("screen", lambda *_: (0.5, 1.0, 1.5, 2.0)),
        )

    def kept(self, store, digest="model", data=None, runtime=CPU):
        return stored(self.steps(), store, digest, (data or dataset()).digest, runtime)


def dataset(seed=0, name="data"):
    return Dataset(name, images(seed), images(seed + 100))


def record(created="2024-01-01T00:00:00+00:00", sentence="No class is flagged."):
    return ScanRecord(
        verdict="clean",
        sentence=sentence,
        flagged_classes=(),
        classes=(),
        model=ModelRecord(
            sha256="0" * 64,
            digest="1" * 64,
            file="m",
            architecture="a",
            accuracy=1,
            epsilons=(),
            robust_accuracies=(),
            half_radius=1,
        ),
        data=DataRecord(name="d", digest="1", class_names=("a", "b"), shape=(1, 6, 6), train=1, test=1),
        config={"seeds": 3},
        versions={},
        runtime=RuntimeRecord(device="cpu", precision="fp32"),
        seconds={},
        created=created,
    )


def change(store, statement, *values):
    """Change the index behind the store's back."""
    with closing(sqlite3.connect(store.folder / "index.sqlite")) as index, index:
        index.execute(statement, values)


def files(folder):
    return sorted(path.name for path in (folder / "arrays").iterdir())
