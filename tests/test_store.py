"""The store: what comes out is what went in."""

import dataclasses
import multiprocessing
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import aegis.source
from aegis.detect.config import EmbedConfig, JudgeConfig, ScanConfig
from aegis.detect.record import config_record
from aegis.keys import key_of
from aegis.review import Review
from aegis.runtime import Runtime
from aegis.source import CODE, STEPS_CODE, code_digest
from aegis.store import Store, default_folder, find_class
from tests.layers import ROOT, imported, module_of
from tests.stored import ASSESS, EMBED, GATHER, Counted, assert_same, dataset, evidence, files, planes, record


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
    monkeypatch.setattr("aegis.keys.code_digest", lambda: "0" * 64)
    assert key_of("gather", 1) != before


@pytest.mark.parametrize(
    ("changed", "steps", "scans"),
    [
        ("runtime.py", True, True),
        ("store.py", False, False),
        ("packing.py", True, True),
        ("pgd.py", True, True),
        ("models/classifier.py", True, True),
        ("detect/transplant.py", True, True),
        ("detect/prune.py", True, True),
        ("detect/cluster.py", False, True),
        ("detect/verdict.py", False, True),
        ("detect/null.py", False, True),
        ("cli/scan.py", False, False),
        ("lab/train.py", False, False),
    ],
)
def test_code_that_numbers_depend_on_counts(tmp_path, monkeypatch, changed, steps, scans):
    """How classes are judged matters to a scan, but to none of its costly steps."""
    copied = tmp_path / "aegis"
    shutil.copytree(aegis.source.ROOM, copied, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("aegis.source.ROOM", copied)
    before = [code_digest.__wrapped__(code) for code in (STEPS_CODE, CODE)]
    (copied / changed).write_text((copied / changed).read_text() + "# changed\n")
    after = [code_digest.__wrapped__(code) for code in (STEPS_CODE, CODE)]
    assert [a != b for a, b in zip(before, after, strict=True)] == [steps, scans]


# Settings are in the keys with their values; the others compute nothing.
NO_NUMBERS = {"detect/config.py", "detect/null.py", "errors.py", "files.py", "text.py", "process.py"}
NO_NUMBERS |= {"models/card.py", "models/formats.py"}


def test_all_that_the_costly_steps_import_counts():
    seen, todo = set(), {f"aegis.detect.{step}" for step in ("assess", "gather", "embed")}
    while todo:
        path = ROOT.joinpath(*todo.pop().split(".")).with_suffix(".py")
        if path.exists() and path not in seen:
            seen.add(path)
            known = [
                name for _, name in imported(path.read_text(), module_of(path.parent)) if name.startswith("aegis.")
            ]
            # What is imported may be a module, or a name in one.
            todo |= {*known, *(name.rpartition(".")[0] for name in known)}
    names = {path.relative_to(ROOT / "aegis").as_posix() for path in seen}
    assert {"detect/stamps.py", "pgd.py"} <= names
    assert names - NO_NUMBERS <= set(STEPS_CODE)


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


def test_a_review_stays_with_its_scan(store):
    review = Review("Seen.", {3: "confirmed"})
    assert store.find_review("key") is None
    store.keep_review("key", Review("Draft."))
    store.keep_review("key", review)
    store.keep_review("other", Review())
    store.keep_scan("key", record())
    # Another process would open the folder anew.
    assert Store(store.folder).find_review("key") == review
    assert Store(store.folder).find_review("other") == Review()


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


def scanned(digest="1" * 64, **changes):
    """A record whose settings, images and machine are those of what was kept."""
    config = ScanConfig(gather=GATHER, **changes)
    kept = record()
    model = kept.model.model_copy(update={"digest": digest})
    images = kept.data.model_copy(update={"digest": dataset().digest})
    return kept.model_copy(update={"config": config_record(config), "model": model, "data": images})


def test_a_class_of_a_finished_scan_is_found_without_its_model(store):
    counted, data = Counted(), dataset()
    steps = counted.kept(store, "1" * 64, data)
    embeddings = steps.embed(steps.gather(None, data, 2, GATHER), EMBED)
    found = find_class(store, scanned(), 2)
    assert_same(found.evidence, evidence(2))
    assert all(np.array_equal(one.points, other.points) for one, other in zip(found.embeddings, embeddings))
    assert len(found.clusters) == len(found.translated_clusters) == 2
    wide = find_class(store, scanned(judge=JudgeConfig(bandwidth=1e6)), 2)
    assert [c.count for c in wide.clusters] == [1, 1]
    assert counted.calls == ["gather", "embed"]


@pytest.mark.parametrize(
    ("lost", "label"),
    [(scanned("2" * 64), 2), (scanned(), 1), (scanned(embed=EmbedConfig(perplexity=2)), 2)],
    ids=["model", "class", "settings"],
)
def test_what_the_store_lost_is_none(store, lost, label):
    data = dataset()
    steps = Counted().kept(store, "1" * 64, data)
    steps.embed(steps.gather(None, data, 2, GATHER), EMBED)
    assert find_class(store, lost, label) is None


@pytest.mark.parametrize(("one", "other", "same"), [(3, 3.0, True), (2**60, 2**60 + 1, False), (3, "3", False)])
def test_equal_numbers_make_equal_keys(one, other, same):
    assert (key_of({"a": one}) == key_of({"a": other})) is same
