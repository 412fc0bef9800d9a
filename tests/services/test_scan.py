"""A scan is found in the store or run, kept under the key of what was read, and shown as interrupted if killed."""

import hashlib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from aegis.records.config import ScanConfig, Triage
from aegis.records.record import ControlRecord, TriageRecord
from aegis.services.scan import ScanRequest, find_or_run
from tests.stored import GATHER, dataset, record

CONTENT = b"a model"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def request_(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(CONTENT)

    def load():
        return SimpleNamespace(sha256=hashlib.sha256(path.read_bytes()).hexdigest(), digest="1" * 64)

    return ScanRequest(
        file=path.name, checkpoint=path, load=load, images=dataset(), config=ScanConfig(gather=GATHER), device="cpu"
    )


@pytest.fixture
def scans():
    """The store that each scan was given."""
    return []


@pytest.fixture
def find(store, scans, request_):
    """Finds scans, or runs them without a model."""

    def run(suspect, given):
        scans.append(given)
        plain = record()
        return plain.model_copy(update={"model": plain.model.model_copy(update={"sha256": suspect.sha256})})

    def find(request=request_, **options):
        return find_or_run(request, store, run, what="a file", resume_hint="scan again", **options)

    return find


def unreadable():
    raise AssertionError("the model was read")


def test_the_same_scan_again_is_found_without_reading_the_model(find, scans, store, request_):
    first = find()
    again = find(replace(request_, load=unreadable))
    assert (first.found, again.found) == (False, True)
    assert (again.key, again.record, again.suspect) == (first.key, first.record, None)
    assert store.find_scan(first.key) == first.record
    assert scans == [store]


@pytest.mark.parametrize(
    "change", [{"labels": (1,)}, {"mean": "0.5"}, {"device": "cuda"}, {"precision": "fp32"}, {"file": "another"}]
)
def test_another_request_is_another_scan(find, scans, request_, change):
    keys = {find().key, find(replace(request_, **change)).key}
    assert len(keys) == len(scans) == 2


def test_the_users_own_architecture_is_read_before_it_is_found(find, scans, request_):
    loaded = []
    own = replace(request_, architecture="mine:build", load=lambda: loaded.append(1) or request_.load())
    assert find(own).key == find(own).key
    assert len(scans) == 1
    assert len(loaded) == 2


def test_a_scan_that_is_killed_shows_as_interrupted_and_one_that_ends_does_not(store, request_):
    during = []

    def run(suspect, _):
        during.extend(store.running())
        return record()

    outcome = find_or_run(request_, store, run, what="a file", resume_hint="scan again")
    told = [(work.kind, work.what, work.key, work.resume_hint) for work in during]
    assert told == [("scan", "a file", outcome.key, "scan again")]
    assert store.running() == store.interrupted() == []


def damage(store, key):
    """Cut an array that the scan needs."""
    store.keep("a" * 64, {"x": np.zeros(3)})
    store.keep_scan(key, store.find_scan(key))
    (store.folder / "arrays" / f"{'a' * 64}.npz").write_bytes(b"cut")


@pytest.mark.parametrize(("fresh", "kept"), [(False, True), (True, False)])
def test_damaged_arrays_are_computed_again_and_the_positive_control_is_kept(find, scans, store, fresh, kept):
    key = find().key
    control = ControlRecord(
        target=1, trigger={}, lift=0.9, accuracy=0.9, planted=True, seen=True, score=None, p_value=None
    )
    store.keep_scan(key, store.find_scan(key).model_copy(update={"control": control}))
    damage(store, key)
    again = find(fresh=fresh)
    assert (again.key, again.found, again.record.control) == (key, False, control if kept else None)
    assert scans == [store, None if fresh else store]


def test_a_file_that_is_replaced_on_the_way_is_kept_under_its_own_key(find, scans, request_):
    first = find().key

    def load():
        request_.checkpoint.write_bytes(b"another model")
        return request_.load()

    second = find(replace(request_, load=load), fresh=True).key
    assert second != first
    found = find()
    # The file is the other one now.
    assert (found.key, found.found) == (second, True)
    assert len(scans) == 2


def test_another_network_of_the_same_file_is_another_scan(find, scans, request_):
    def named(entry, digest):
        load = lambda: SimpleNamespace(sha256=DIGEST, digest=digest)  # noqa: E731
        return replace(request_, entry=entry, load=load)

    first, second = find(named("model", "1" * 64)), find(named("ema", "2" * 64))
    assert (first.found, second.found, len(scans)) == (False, False, 2)
    assert first.key != second.key
    assert find(named("ema", "2" * 64)).key == second.key
    assert len(scans) == 2


def test_a_triage_is_another_scan_and_more_time_goes_on_with_it(find, store, scans, request_):
    plain = find().key
    first, longer = (replace(request_, triage=Triage(budget=budget)) for budget in (1.0, 60.0))
    assert first.key() == longer.key() != plain
    whole = find(first)
    assert find(longer).found
    ranked = TriageRecord(sizes=(0.5, 1.0), budget=1.0)
    stopped = whole.record.model_copy(update={"triage": ranked, "verdict": "inconclusive", "classes": ()})
    assert not first.is_finished(stopped)
    assert first.is_finished(stopped.model_copy(update={"verdict": "infected"}))
    store.keep_scan(whole.key, stopped)
    assert not find(longer).found
    assert len(scans) == 3
