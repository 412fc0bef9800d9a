"""Finished scans as pages get them: the right ones, and nothing in place of what is gone."""

import shutil

import numpy as np
import pytest

from aegis.detect.cluster import cluster, cluster_translated
from aegis.records.config import JudgeConfig
from aegis.store.store import Store
from aegis.ui.caches import UploadCache, Uploads, look_for_images
from aegis.ui.scans import clusters_at, find_finding, find_model, find_suspect, identity
from aegis.ui.session import server_state
from aegis.ui.suspects import load_again
from tests.finished import KEY, TESTED
from tests.suspects import write_infected


@pytest.fixture(autouse=True)
def _environment(finished, monkeypatch):
    for name, value in finished.environment.items():
        monkeypatch.setenv(name, value)


def test_what_is_said_of_a_scan_is_its_identity(finished):
    assert identity(finished.record) == identity(Store().find_scan(KEY))
    assert identity(finished.record) != identity(finished.record.model_copy(update={"sentence": "Other."}))


def test_a_class_is_found_as_it_was_judged(finished):
    for entry, label in zip(finished.record.classes, TESTED, strict=True):
        finding = find_finding(finished.record, label)
        assert finding.label == label
        assert tuple(clusters.count for clusters in finding.clusters) == entry.clusters_by_budget
        assert find_finding(finished.record, label) is finding
    (other,) = set(range(4)) - set(TESTED)
    assert find_finding(finished.record, other) is None


def test_a_class_is_found_again_after_it_was_lost(finished, tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path))
    Store(tmp_path).keep_scan(KEY, finished.record)
    assert find_finding(finished.record, TESTED[0]) is None
    shutil.copytree(finished.store / "arrays", tmp_path / "arrays", dirs_exist_ok=True)
    assert find_finding(finished.record, TESTED[0]).label == TESTED[0]


def test_clusters_are_those_of_a_scan_at_that_bandwidth(finished):
    embedding = find_finding(finished.record, TESTED[0]).embeddings[0]
    for config in (JudgeConfig(bandwidth=3.0), JudgeConfig(bandwidth=9.0)):
        for alone, computed in ((False, cluster), (True, cluster_translated)):
            found = clusters_at(identity(finished.record), TESTED[0], embedding, embedding.budget, config, alone)
            np.testing.assert_array_equal(found.assignment, computed(embedding, config).assignment)


def test_a_suspect_is_found_by_its_digest(finished, tmp_path, monkeypatch):
    assert find_suspect(finished.record.model.sha256) == finished.suspects / "suspect.safetensors"
    assert find_suspect("0" * 64) is None
    monkeypatch.setenv("AEGIS_SUSPECTS", str(tmp_path))
    write_infected(tmp_path)
    assert find_suspect(finished.record.model.sha256) is None


def test_a_model_answers_as_it_did(finished):
    from aegis.metrics import accuracy

    model = find_model(KEY, finished.record)
    measured = accuracy(model.classifier, look_for_images(finished.record, KEY, UploadCache())[0].test)
    # The scan measured it on fewer images.
    assert measured == pytest.approx(finished.record.model.accuracy, abs=0.25)
    assert find_model(KEY, finished.record) is model


@pytest.mark.parametrize("changes", [{"digest": "0" * 64}, {"architecture": "os:system", "digest": "1" * 64}])
def test_neither_another_model_nor_foreign_code_is_run_because_a_record_names_it(finished, changes):
    other = finished.record.model.model_copy(update=changes)
    assert find_model(KEY, finished.record.model_copy(update={"model": other})) is None


def test_an_uploaded_suspect_is_at_hand_for_its_scan_alone(finished, tmp_path, monkeypatch):
    suspect = load_again(finished.suspects / "suspect.safetensors", finished.record)
    monkeypatch.setenv("AEGIS_SUSPECTS", str(tmp_path))
    uploaded = finished.record.model_copy(
        update={"model": finished.record.model.model_copy(update={"file": "upload: a"})}
    )
    server_state().upload_cache.keep("its", Uploads(suspect=suspect))
    assert find_model("its", uploaded).classifier.classes == suspect.classifier.classes
    assert find_model("another", uploaded) is None
