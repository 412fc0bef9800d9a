"""The store: what comes out is what went in, or nothing."""

import dataclasses
import multiprocessing
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import aegis.store
from aegis.detect.config import AssessConfig, EmbedConfig, GatherConfig
from aegis.detect.record import DataRecord, ModelRecord, ScanRecord
from aegis.detect.steps import Steps
from aegis.errors import StoreError
from aegis.runtime import Runtime
from aegis.store import (
    Store,
    code_digest,
    default_folder,
    key_of,
    pack_applicability,
    pack_evidence,
    stored,
    unpack_applicability,
    unpack_evidence,
)
from aegis.types import Applicability, Dataset, Embedding, Evidence, LabelledImages, Stage, Stamp, Transplant

GATHER = GatherConfig(seeds=10, stages=(Stage(epsilon=1, step=0.5, iterations=2),))
ASSESS, EMBED = AssessConfig(), EmbedConfig()
CPU = Runtime()


def images(seed=0):
    generator = np.random.default_rng(seed)
    labels = np.arange(12, dtype=np.int64) % 4
    return LabelledImages(generator.random((12, 1, 6, 6), np.float32), labels, ("a", "b", "c", "d"))


def evidence(label=2, transplants=2, seed=0):
    generator = np.random.default_rng(seed)
    rates = generator.random(4, np.float32)
    rates[label] = np.nan
    found = tuple(
        Transplant(
            family,
            Stamp(generator.random((1, 6, 6), np.float32), generator.normal(size=(1, 6, 6)).astype(np.float32)),
            rates + i,
            generator.integers(0, 50, 4),
            f"cluster {i} at 0.1 – 2",  # noqa: RUF001 - text outside ASCII
        )
        for i, family in enumerate(("patch", "perturbation")[:transplants])
    )
    return Evidence(
        label=label,
        budgets=(0.1, 1 / 3),
        seed_index=generator.permutation(12)[:5],
        train_index=generator.permutation(12)[:3],
        translated=generator.integers(0, 256, (2, 5, 1, 6, 6), dtype=np.uint8),
        features=generator.normal(size=(2, 8, 4)).astype(np.float32),
        success=generator.random(2, np.float32),
        transplants=found,
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

        measured = Applicability(0.9, (0.5, 1.0), (0.7, 1 / 3), ("too weak",))
        return Steps(
            step("assess", lambda *_: measured),
            step("gather", lambda classifier, data, label, config: evidence(label)),
            step("embed", lambda found, config: planes(found)),
        )

    def kept(self, store, digest="model", data=None, runtime=CPU):
        return stored(self.steps(), store, digest, data or dataset(), runtime)


def dataset(seed=0, name="data"):
    return Dataset(name, images(seed), images(seed + 100))


def record(created="2024-01-01T00:00:00+00:00", sentence="No class is suspicious."):
    return ScanRecord(
        verdict="clean",
        sentence=sentence,
        suspected_classes=(),
        classes=(),
        model=ModelRecord(
            sha256="0" * 64, file="m", architecture="a", accuracy=1, epsilons=(), robust_accuracies=(), half_radius=1
        ),
        data=DataRecord(name="d", digest="1", class_names=("a", "b"), shape=(1, 6, 6), train=1, test=1),
        config={"seeds": 3},
        versions={},
        runtime={},
        seconds={},
        created=created,
    )


def files(folder):
    return sorted(path.name for path in (folder / "arrays").iterdir())


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.mark.parametrize("transplants", [0, 1, 2])
def test_evidence_comes_back_bit_for_bit(store, transplants):
    found = evidence(transplants=transplants)
    store.keep("key", pack_evidence(found))
    assert_same(unpack_evidence(store.load("key")), found)


@pytest.mark.parametrize("objections", [(), ("Accuracy is 41 %, too low.", "Not robust: ε½ = 0.1.")])
def test_applicability_comes_back_bit_for_bit(store, objections):
    measured = Applicability(0.1 + 0.2, (0.25, 0.5), (1 / 3, 0.0), objections)
    store.keep("key", pack_applicability(measured))
    assert_same(unpack_applicability(store.load("key")), measured)


def test_each_step_is_computed_once_and_found_again(store):
    counted = Counted()
    results = []
    for _ in range(2):
        # Another process would open the folder anew.
        steps = counted.kept(Store(store.folder))
        found = steps.gather(None, dataset(), 1, GATHER)
        results.append((steps.assess(None, dataset(), ASSESS), found, steps.embed(found, EMBED)))
    assert counted.calls == ["gather", "assess", "embed"]
    assert_same(results[0], results[1])
    assert_same(results[1][1], evidence(1))
    assert_same(results[1][2], planes(evidence(1)))


def test_what_was_found_is_counted_as_progress(store):
    counted, events = Counted(), []
    for _ in range(2):
        counted.kept(store).embed(evidence(3), EMBED, report=events.append)
    assert counted.calls == ["embed"]
    assert [(e.stage, e.label, e.step, e.total) for e in events] == [("embed", 3, 1, 1)] * 2


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "another"},
        {"data": dataset(7)},
        {"runtime": Runtime("cpu", "bf16")},
        {"runtime": Runtime("cuda", "fp32")},
    ],
)
def test_other_models_images_and_precisions_are_not_confused(store, change):
    counted = Counted()
    for given in ({}, change):
        steps = counted.kept(store, **given)
        steps.assess(None, dataset(), ASSESS)
        steps.gather(None, dataset(), 1, GATHER)
    assert counted.calls == ["assess", "gather"] * 2


def test_other_settings_and_classes_are_computed_anew(store):
    counted = Counted()
    steps = counted.kept(store)
    for label, config in ((1, GATHER), (2, GATHER), (1, dataclasses.replace(GATHER, seed=1))):
        steps.gather(None, dataset(), label, config)
    for config in (ASSESS, dataclasses.replace(ASSESS, iterations=11)):
        steps.assess(None, dataset(), config)
    for found in (evidence(), evidence(seed=1)):
        for config in (EMBED, dataclasses.replace(EMBED, perplexity=31)):
            steps.embed(found, config)
    assert counted.calls == ["gather"] * 3 + ["assess"] * 2 + ["embed"] * 4


def test_the_name_of_the_data_and_the_number_of_workers_play_no_part(store):
    counted = Counted()
    counted.kept(store).assess(None, dataset(), ASSESS)
    counted.kept(store, data=dataset(name="other"), runtime=Runtime(workers=7)).assess(None, dataset(), ASSESS)
    assert counted.calls == ["assess"]


def test_other_code_makes_other_keys(monkeypatch):
    before = key_of("gather", 1)
    monkeypatch.setattr("aegis.store.code_digest", lambda: "0" * 64)
    assert key_of("gather", 1) != before


@pytest.mark.parametrize(
    ("changed", "matters"),
    [
        ("runtime.py", True),
        ("store.py", True),
        ("pgd.py", True),
        ("models/classifier.py", True),
        ("detect/transplant.py", True),
        ("cli/scan.py", False),
        ("lab/train.py", False),
    ],
)
def test_code_that_numbers_depend_on_counts(tmp_path, monkeypatch, changed, matters):
    copied = tmp_path / "aegis"
    shutil.copytree(Path(aegis.store.__file__).parent, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("aegis.store.__file__", str(copied / "store.py"))
    before = code_digest.__wrapped__()
    (copied / changed).write_text((copied / changed).read_text() + "# changed\n")
    assert (code_digest.__wrapped__() != before) is matters


def cut_short(content):
    return content[: len(content) // 2]


def flip_bytes(content):
    middle = len(content) // 3
    return content[:middle] + bytes(b ^ 0xFF for b in content[middle : middle + 64]) + content[middle + 64 :]


def flip_early(content):
    return content[:60] + bytes(b ^ 0xFF for b in content[60:90]) + content[90:]


def empty(content):
    return b""


def other_text(content):
    return b"not an archive"


@pytest.mark.parametrize("damage", [cut_short, flip_bytes, flip_early, empty, other_text])
def test_a_damaged_file_is_computed_again(store, damage):
    counted = Counted()
    counted.kept(store).gather(None, dataset(), 1, GATHER)
    (path,) = (store.folder / "arrays").iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert_same(counted.kept(store).gather(None, dataset(), 1, GATHER), evidence(1))
    assert counted.calls == ["gather"] * 2
    assert_same(counted.kept(store).gather(None, dataset(), 1, GATHER), evidence(1))
    assert counted.calls == ["gather"] * 2


def test_no_byte_of_a_file_can_stop_a_scan(store):
    """Whichever byte is wrong, the arrays come back as they were or not at all."""
    arrays = pack_applicability(Applicability(0.9, (0.5,), (0.5,)))
    store.keep("key", arrays)
    path = store.folder / "arrays" / "key.npz"
    content = path.read_bytes()
    for i in range(len(content)):
        path.write_bytes(content[:i] + bytes([content[i] ^ 0xFF]) + content[i + 1 :])
        found = store.load("key")
        # A changed name is another archive, and as good as none.
        if found is not None and found.keys() == arrays.keys():
            for name, array in arrays.items():
                np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("left", [{}, {"label": np.array(1)}, {"points": np.zeros((2, 8, 2), np.float32)}])
def test_an_archive_that_lost_arrays_is_computed_again(store, left):
    counted = Counted()
    counted.kept(store).gather(None, dataset(), 1, GATHER)
    (path,) = (store.folder / "arrays").iterdir()
    store.keep(path.stem, left)
    assert_same(counted.kept(store).gather(None, dataset(), 1, GATHER), evidence(1))
    assert counted.calls == ["gather"] * 2


def test_pickled_objects_are_not_read(store):
    np.savez(store.folder / "arrays" / "key.npz", accuracy=np.array([{"a": 1}], dtype=object))
    assert store.load("key") is None


def test_nothing_is_found_where_nothing_was_kept(store):
    assert store.load("key") is None
    assert store.find_scan("key") is None
    assert store.scans() == []


def test_a_full_disk_leaves_nothing(store, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aegis.files.os.fsync", full)
    counted = Counted()
    with pytest.raises(StoreError, match="No space left on device"):
        counted.kept(store).gather(None, dataset(), 1, GATHER)
    assert files(store.folder) == []
    monkeypatch.undo()
    counted.kept(store).gather(None, dataset(), 1, GATHER)
    assert len(files(store.folder)) == 1


def test_a_full_disk_leaves_the_older_file(store, monkeypatch):
    store.keep("key", {"a": np.arange(3)})

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aegis.files.os.fsync", full)
    with pytest.raises(StoreError):
        store.keep("key", {"a": np.arange(4)})
    assert store.load("key")["a"].tolist() == [0, 1, 2]
    assert files(store.folder) == ["key.npz"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="AEGIS_STORE"):
        Store(tmp_path / "file" / "store")
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreError, match="Permission denied"):
            Store(tmp_path / "store")
    finally:
        tmp_path.chmod(0o700)


def test_an_index_that_is_none(store):
    (store.folder / "index.sqlite").write_bytes(b"x" * 4096)
    for attempt in (lambda: Store(store.folder), store.scans, lambda: store.keep_scan("key", record())):
        with pytest.raises(StoreError, match="not a database"):
            attempt()


def test_scans_come_back_newest_first(store):
    days = {day: record(f"2024-01-0{day}T00:00:00+00:00") for day in (2, 3, 1)}
    for day, kept in days.items():
        store.keep_scan(f"key {day}", kept)
    assert store.scans() == [(f"key {day}", days[day]) for day in (3, 2, 1)]
    assert [key for key, _ in store.scans(limit=2)] == ["key 3", "key 2"]
    assert store.find_scan("key 2") == days[2]
    assert store.find_scan("key 4") is None


def test_a_scan_of_the_same_key_is_replaced(store):
    store.keep_scan("key", record())
    store.keep_scan("key", record(sentence="Another."))
    assert [kept.sentence for _, kept in store.scans()] == ["Another."]


def test_a_scan_that_another_version_wrote_is_left_out(store):
    for key in ("old", "new"):
        store.keep_scan(key, record())
    with closing(sqlite3.connect(store.folder / "index.sqlite")) as index, index:
        index.execute("UPDATE scans SET record = json_set(record, '$.schema_version', 0) WHERE key = 'old'")
    assert [key for key, _ in store.scans()] == ["new"]
    assert store.find_scan("old") is None
    store.keep_scan("old", record())
    assert store.find_scan("old") == record()


def keep_many(folder, name, gate):
    store = Store(folder)
    gate.wait(60)
    for i in range(15):
        store.keep_scan(f"{name} {i}", record())
        store.keep("shared", {"a": np.full(1000, i)})


def test_two_processes_at_once_both_land(tmp_path):
    context = multiprocessing.get_context("spawn")
    gate = context.Barrier(2)
    workers = [context.Process(target=keep_many, args=(tmp_path, name, gate)) for name in ("one", "two")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    store = Store(tmp_path)
    assert {key for key, _ in store.scans(limit=100)} == {f"{n} {i}" for n in ("one", "two") for i in range(15)}
    assert (store.load("shared")["a"] == 14).all()
    assert files(tmp_path) == ["shared.npz"]


def test_where_results_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "here"))
    assert Store().folder == tmp_path / "here"
    monkeypatch.delenv("AEGIS_STORE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "aegis"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == Path(tmp_path, ".cache", "aegis")
