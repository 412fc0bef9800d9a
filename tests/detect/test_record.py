"""The record: what other programs read, and what comes back from it."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from aegis.detect.config import ScanConfig, preset
from aegis.detect.record import (
    PACKAGES,
    ScanRecord,
    config_of,
    config_record,
    data_record,
    model_record,
    now,
    read_record,
    transplant_record,
    versions,
)
from aegis.errors import StoreError
from aegis.types import Applicability, Stamp, Transplant
from aegis.version import __version__
from tests.detect.toy import IDENTITY, NAMES, SMALL, TARGET

# Of the contract: names that other programs rely on.
TOP = "schema_version verdict sentence suspected_classes classes model data config versions runtime seconds created"
CLASS = """label name suspicious reason clusters budgets clusters_by_budget translated_clusters_by_budget bandwidths
translation_success transplants"""


@pytest.fixture(scope="module")
def record(scans):
    return scans.infected.record("suspect.safetensors")


def candidate(area=None, rates=(0.12345, np.nan, 1.0)):
    keep, add = np.ones((1, 8, 8), np.float32), np.zeros((1, 8, 8), np.float32)
    if area is not None:
        keep[0][area], add[0][area] = 0, 0.5
    counts = np.array([30, 0, 12])
    return Transplant("patch", Stamp(keep, add), np.array(rates, np.float32), counts, "budget 1, change cluster 1")


def test_the_json_has_the_contracts_names_and_types(record):
    plain = json.loads(record.to_json())
    assert list(plain) == TOP.split()
    assert (plain["schema_version"], plain["verdict"], plain["suspected_classes"]) == (1, "infected", [TARGET])
    assert [c["label"] for c in plain["classes"]] == [0, 1, 2, 3]
    assert [c["name"] for c in plain["classes"]] == list(NAMES)
    for found in plain["classes"]:
        assert list(found) == CLASS.split()
        assert found["suspicious"] is (found["label"] == TARGET)
        assert found["clusters"] == max(found["clusters_by_budget"])
        assert len(found["budgets"]) == len(found["bandwidths"]) == len(found["translation_success"]) == 2
        for transplant in found["transplants"]:
            assert transplant["flip_rates"][found["label"]] is None
    assert plain["model"]["file"] == "suspect.safetensors"
    assert len(plain["model"]["sha256"]) == 64
    assert plain["config"]["gather"]["stages"][0] == {"epsilon": 2, "step": 0.5, "iterations": 6}


def test_a_record_is_read_back_as_it_was_written(record, tmp_path):
    (tmp_path / "scan.json").write_text(record.to_json())
    assert read_record(tmp_path / "scan.json") == record


@pytest.mark.parametrize("content", [None, "", "{}", "[]", "verdict: clean", '{"schema_version": 2}', "\x00\xff"])
def test_what_is_no_record_is_one_message(tmp_path, content):
    path = tmp_path / "scan.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StoreError, match="a scan result written by aegis scan --json"):
        read_record(path)


@pytest.mark.parametrize(
    "change",
    [{"schema_version": 2}, {"verdict": "fine"}, {"extra": 1}, {"suspected_classes": ["seven"]}, {"classes": None}],
)
def test_a_record_of_another_schema_is_refused(record, change):
    with pytest.raises(ValidationError):
        ScanRecord.model_validate(record.model_dump() | change)


def test_a_transplant_is_told_by_its_box_and_rates():
    told = transplant_record(candidate((slice(2, 4), slice(5, 8))))
    assert (told.family, told.pixels, told.box) == ("patch", 6, (2, 5, 4, 8))
    assert told.l2_norm == pytest.approx(np.sqrt(6) / 2, abs=1e-4)
    assert told.flip_rates == (0.1235, None, 1.0)
    assert told.flip_rate == pytest.approx(0.5617, abs=1e-4)
    assert told.images == 42


def test_a_transplant_that_touches_nothing_has_an_empty_box():
    told = transplant_record(candidate())
    assert (told.pixels, told.box, told.l2_norm) == (0, (0, 0, 0, 0), 0)


def test_the_model_and_the_images_are_told_as_measured(infected, data):
    measured = Applicability(0.91234567, (0.5, 1.0), (0.7, 0.1))
    told = model_record("a.pt", infected, measured)
    assert (told.sha256, told.digest, told.architecture) == (infected.sha256, infected.digest, IDENTITY.architecture)
    assert (told.file, told.accuracy, told.robust_accuracies) == ("a.pt", 0.9123, (0.7, 0.1))
    assert told.half_radius == pytest.approx(measured.half_radius, abs=1e-4)
    images = data_record(data)
    assert (images.name, images.digest, images.shape) == (data.name, data.digest, data.shape)
    assert (images.train, images.test, images.class_names) == (len(data.train), len(data.test), NAMES)


@pytest.mark.parametrize("config", [SMALL, preset("paper", "cifar10", (3, 32, 32))], ids=["small", "paper"])
def test_settings_are_told_as_json_gives_them_back(config: ScanConfig):
    told = config_record(config)
    assert json.loads(json.dumps(told)) == told
    assert set(told) == {"assess", "gather", "embed", "judge", "verdict"}
    assert told["gather"]["seeds"] == config.gather.seeds
    assert (told["gather"]["transplant"] is None) == (config.gather.transplant is None)


def test_settings_come_back_from_a_record(scans, record):
    assert config_of(record) == scans.infected.config


@pytest.mark.parametrize("change", [{"gather": {"seeds": 3}}, {"judge": {"unknown": 1}}])
def test_settings_of_another_version_are_one_message(record, change):
    other = record.model_copy(update={"config": record.config | change})
    with pytest.raises(StoreError, match="Scan again"):
        config_of(other)


def test_versions_and_time_are_told():
    told = versions()
    assert told["aegis"] == __version__
    assert set(told) == {"aegis", "python", *PACKAGES}
    assert all(told.values())
    assert now().endswith("+00:00")
    assert len(now()) == 25
