"""The record: what other programs read, and what comes back from it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from aegis.core.errors import StoreError
from aegis.core.files import read_text_bytes
from aegis.core.runtime import Runtime
from aegis.core.source import STEPS_CODE, code_digest
from aegis.core.types import Applicability, Stamp
from aegis.core.version import __version__, processor
from aegis.models.classifier import Classifier
from aegis.records.builders import (
    PACKAGES,
    data_record,
    model_record,
    now,
    runtime_record,
    source_record,
    trigger_record,
    versions,
)
from aegis.records.presets import preset
from aegis.records.record import ScanRecord, TriageRecord, config_of, config_record, read_record
from tests import candidates
from tests.detect.toy import network, suspect_of
from tests.layers import ROOT
from tests.report.made import made

# Of the contract: names that other programs rely on.
TOP = """schema_version verdict sentence flagged_classes classes model data config versions runtime seconds created
control labels source"""
CLASS = """label name flagged reason clusters budgets clusters_by_budget translated_clusters_by_budget bandwidths
translation_success triggers p_value strongest"""
TRIGGER = "family start source destinations pixels box l2_norm flip_rate flip_rates images score where smallest_rate"

CONTROL = {"target": 3, "trigger": {}, "lift": 0.9, "accuracy": 0.9, "planted": True, "seen": True, "score": None}
CONTROL["p_value"] = None


@pytest.fixture(scope="module")
def scan():
    """A scan that flags class 2 of four."""
    return made()


@pytest.fixture(scope="module")
def record(scan):
    return scan.record


def candidate(area=None, family="patch", rates=(0.12345, np.nan, 1.0), **about):
    """A grey patch; of ten thousand images of each class so many flip."""
    keep, add = np.ones((1, 8, 8), np.float32), np.zeros((1, 8, 8), np.float32)
    if area is not None:
        keep[0][area], add[0][area] = 0, 0.5
    return candidates.candidate(family, 1, rates, Stamp(keep, add), images=10_000, **about)


def test_the_json_has_the_contracts_names_and_types_and_is_read_back(record, tmp_path):
    (tmp_path / "scan.json").write_text(record.to_json())
    assert read_record(tmp_path / "scan.json") == record
    plain = json.loads(record.to_json())
    assert list(plain) == TOP.split()
    assert (plain["schema_version"], plain["verdict"], plain["flagged_classes"]) == (2, "infected", [2])
    assert [c["label"] for c in plain["classes"]] == [0, 1, 2, 3]
    assert [c["name"] for c in plain["classes"]] == ["shirt", "shoe", "bag", "coat"]
    for found in plain["classes"]:
        assert list(found) == CLASS.split()
        assert found["flagged"] is (found["label"] == 2)
        assert found["clusters"] == max(found["clusters_by_budget"])
        assert len(found["budgets"]) == len(found["bandwidths"]) == len(found["translation_success"]) == 2
        assert found["triggers"][found["strongest"]]["score"] is not None
        for candidate in found["triggers"]:
            assert list(candidate) == TRIGGER.split()
            everyone = candidate["family"] == "all-to-all"
            assert (candidate["flip_rates"][found["label"]] is None) is not everyone
            assert (candidate["destinations"] is None) is not everyone
            assert (candidate["source"] is None) is (candidate["family"] != "source-specific")
    assert plain["model"]["file"] == "suspect.pt"
    assert len(plain["model"]["sha256"]) == 64
    assert plain["config"]["gather"]["stages"][0] == {"epsilon": 3, "step": 0.5, "iterations": 8}


@pytest.mark.parametrize("content", [None, "", "{}", "[]", "verdict: clean", '{"schema_version": 2}', "\x00\xff"])
def test_what_is_no_record_is_one_message(tmp_path, content):
    path = tmp_path / "scan.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(StoreError, match="a scan result written by aegis scan --json"):
        read_record(path)


@pytest.mark.parametrize(
    "change",
    [{"schema_version": 3}, {"verdict": "fine"}, {"extra": 1}, {"flagged_classes": ["seven"]}, {"classes": None}],
)
def test_a_record_of_another_schema_is_refused(record, change):
    with pytest.raises(ValidationError):
        ScanRecord.model_validate(record.model_dump() | change)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("classes", 1, "strongest"), 4, "class 1: strongest is 4, but there are 4 triggers, counted from 0"),
        (("classes", 1, "strongest"), -1, "class 1: strongest is -1"),
        (("classes", 1, "triggers", 2, "source"), 4, "class 1: trigger 2: source is 4, but there are 4 classes"),
        (("classes", 1, "triggers", 0, "flip_rates"), [0.5] * 5, "trigger 0: 5 flip_rates, but 4 class_names"),
        (("classes", 1, "triggers", 0, "destinations"), [0], "trigger 0: 1 destinations, but 4 flip_rates"),
        (("classes", 1, "triggers", 0, "destinations"), [0, 1, 2, 7], "trigger 0: destinations is 7"),
        (("classes", 1, "budgets"), [1.0], "class 1: 1 budgets, but 2 clusters_by_budget"),
        (("classes", 1, "clusters_by_budget"), [1, 1, 1], "class 1: 2 budgets, but 3 clusters_by_budget"),
        (("classes", 1, "translated_clusters_by_budget"), [], "2 budgets, but 0 translated_clusters_by_budget"),
        (("classes", 1, "bandwidths"), [1.0], "class 1: 2 budgets, but 1 bandwidths"),
        (("classes", 1, "translation_success"), [1.0], "class 1: 2 budgets, but 1 translation_success"),
        (("classes", 1, "label"), 4, "classes: label is 4, but there are 4 classes, counted from 0"),
        (("classes", 1, "flagged"), True, "classes are [2], but the flagged ones [1, 2]"),
        (("flagged_classes",), [], "flagged_classes are [], but"),
        (("data", "class_names"), ["a", "b"], "but there are 2 classes"),
        (("model", "robust_accuracies"), [0.5], "0 epsilons, but 1 robust_accuracies"),
        (("labels",), [0, 4], "labels is 4, but there are 4 classes"),
        (("control",), CONTROL | {"target": 4}, "control: target is 4, but there are 4 classes"),
        (("control",), CONTROL | {"target": -1}, "control: target is -1"),
    ],
)  # fmt: skip
def test_a_record_that_contradicts_itself_is_refused_with_the_contradiction(record, tmp_path, path, value, said):
    plain = place = json.loads(record.to_json())
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    (tmp_path / "scan.json").write_text(json.dumps(plain))
    with pytest.raises(StoreError, match="contradicts itself: ") as told:
        read_record(tmp_path / "scan.json")
    assert said in told.value.got


def test_every_scan_of_the_results_agrees_with_itself():
    scanned = re.compile(r'"(flagged|suspected)_classes"')
    files = [path for ending in ("json", "json.gz") for path in (ROOT / "results").rglob(f"*.{ending}")]
    # Other detectors flag classes too, in records of their own.
    files = [path for path in files if "baselines" not in path.parts]
    found = [path for path in files if scanned.search(read_text_bytes(path).decode())]
    assert found
    for path in found:
        read_record(path)


def test_a_trigger_is_told_by_its_box_and_rates_and_as_small_as_it_was_made():
    whole = candidate((slice(2, 4), slice(5, 8)))
    told = trigger_record(whole)
    assert (told.family, told.pixels, told.box, told.where) == ("patch", 6, (2, 5, 4, 8), None)
    assert told.l2_norm == pytest.approx(np.sqrt(6) / 2, abs=1e-4)
    assert told.flip_rates == (0.1234, None, 1.0)
    assert told.flip_rate == pytest.approx(0.5617, abs=1e-4)
    assert told.images == 20_000
    assert (told.source, told.destinations, told.score) == (None, None, None)
    small = trigger_record(replace(whole, smallest=candidate((slice(3, 4), slice(6, 8))).stamp))
    assert (small.pixels, small.box, small.where, small.flip_rate) == (2, (3, 6, 4, 8), (30, 31), told.flip_rate)
    none = trigger_record(candidate())
    assert (none.pixels, none.box, none.l2_norm) == (0, (0, 0, 0, 0), 0)


def test_whom_a_trigger_is_for_is_told():
    told = trigger_record(candidate(family="source-specific", rates=(0.5, 0.5, 0.9), source=2), 0.9)
    assert (told.source, told.flip_rates, told.images, told.score) == (2, (None, None, 0.9), 10_000, 0.9)
    told = trigger_record(candidate(family="all-to-all", rates=(0.5, 0.6, 0.9)))
    assert (told.destinations, told.flip_rates, told.images) == ((1, 2, 0), (0.5, 0.6, 0.9), 30_000)


@pytest.mark.parametrize(("score", "stands"), [(0.25, 0.25), (0.0, 0), (None, 0.5617)])
def test_without_a_score_the_mean_flip_rate_stands_for_it(score, stands):
    assert trigger_record(candidate(), score).score_or_rate == pytest.approx(stands, abs=1e-4)


def test_a_record_of_the_first_version_is_still_read(record):
    """It tells neither scores nor chances, nor whom a trigger is for."""
    plain = json.loads(record.to_json())
    plain.pop("control")
    for name in ("half_radii_excluding_target", "universal_radii", "universal_areas"):
        plain["model"].pop(name)
    for found in plain["classes"]:
        for name in ("p_value", "strongest"):
            found.pop(name)
        for one in found["triggers"]:
            for name in ("source", "destinations", "score", "where"):
                one.pop(name)
    read = ScanRecord.model_validate(plain)
    assert [found.p_value for found in read.classes] == [None] * 4
    assert read.classes[2].triggers[0].score_or_rate == record.classes[2].triggers[0].flip_rate


def test_the_model_and_the_images_are_told_as_measured(scan):
    suspect, data = suspect_of(Classifier(network(1, 4), (1, 12, 12))), scan.data
    confusion = np.array([[[7, 3], [3, 7]], [[1, 9], [9, 1]]])
    measured = Applicability(0.91234567, (0.5, 1.0), (0.7, 0.1), confusion, (1.23456789, 0.5), (0.0123456,))
    told = model_record("a.pt", suspect, measured)
    assert (told.sha256, told.digest) == (suspect.sha256, suspect.digest)
    assert (told.architecture, told.file) == (suspect.identity.architecture, "a.pt")
    assert (told.accuracy, told.robust_accuracies) == (0.9123, (0.7, 0.1))
    assert told.half_radius == pytest.approx(measured.half_radius, abs=1e-4)
    assert told.half_radii_excluding_target == pytest.approx(measured.half_radii_excluding_target, abs=1e-4)
    assert (told.universal_radii, told.universal_areas) == ((1.2346, 0.5), (0.0123,))
    images = data_record(data)
    assert (images.name, images.digest, images.shape) == (data.name, data.digest, data.shape)
    assert (images.train, images.test, images.class_names) == (len(data.train), len(data.test), data.class_names)


@pytest.mark.parametrize("name", ["default", "paper"])
def test_settings_are_told_as_json_gives_them_back(record, name):
    config = preset(name, "cifar10", (3, 32, 32))
    told = json.loads(json.dumps(config_record(config)))
    assert told == config_record(config)
    assert set(told) == {"assess", "gather", "embed", "judge", "verdict"}
    assert told["gather"]["seeds"] == config.gather.seeds
    assert (told["gather"]["trigger_search"] is None) == (name == "paper")
    assert config_of(record.model_copy(update={"config": told})) == config


@pytest.mark.parametrize("change", [{"gather": {"seeds": 3}}, {"judge": {"unknown": 1}}])
def test_settings_of_another_version_are_one_message(record, change):
    with pytest.raises(StoreError, match="Scan again"):
        config_of(record.model_copy(update={"config": record.config | change}))


def test_versions_time_and_machine_are_told():
    told = versions()
    assert told["aegis"] == __version__
    assert set(told) == {"aegis", "python", *PACKAGES}
    assert all(told.values())
    assert now().endswith("+00:00")
    assert len(now()) == 25
    told = runtime_record(Runtime())
    assert (told.device, told.precision, told.hardware, told.instead_of) == ("cpu", "fp32", processor(), "")
    assert runtime_record(Runtime(), Runtime()).instead_of == ""
    assert runtime_record(Runtime(), Runtime("cuda", "bf16")).instead_of == "cuda, bf16"
    assert source_record().code == code_digest(STEPS_CODE)


def test_a_ranking_is_written_only_where_there_is_one(record):
    assert "triage" not in json.loads(record.to_json())
    ranked = record.model_copy(update={"triage": TriageRecord(sizes=(0.9, 0.2, 1.0, 0.2), budget=60.0)})
    read = ScanRecord.model_validate_json(ranked.to_json())
    assert read.triage == ranked.triage
    assert read.triage.order == (1, 3, 0, 2)
    assert [read.triage.rank(label) for label in range(4)] == [3, 1, 4, 2]
    plain = json.loads(ranked.to_json())
    plain["triage"]["sizes"].pop()
    with pytest.raises(ValidationError, match="triage has 3 sizes, but there are 4 classes"):
        ScanRecord.model_validate(plain)
