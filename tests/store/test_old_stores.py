"""What the last version kept that named sources by their bytes: it is found under today's keys."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aegis.core.source import CODE, STEPS_CODE, code_digest, meaning_of
from aegis.detect.verdict import judge_again
from aegis.records.config import ScanConfig, VerdictConfig
from aegis.records.null_distribution import of_scores
from aegis.records.record import config_of, read_record
from aegis.store.cached_steps import find_class
from aegis.store.keys import StepKeys
from tests.stored import GATHER, assert_same, dataset, evidence

# Its default searched for smaller patches for images of one class.
OLD = replace(GATHER, trigger_search=replace(GATHER.trigger_search, source_specific_share=0.5))
# A record that it wrote, and what it kept of class 1 of that scan.
KEPT = Path(__file__).parents[1] / "fixtures" / "schema1"
# Its digests of the sources, and the keys that it gave with them.
STEPS, SCANS = (
    "3488734dd126bb047d69875fa6f7fd8f9c26ca7966dc336f5f4f29dffab4f9d3",
    "d6416ddc7df4df380bce42347c5c79b34785b83e32d1673ab9a7afa7d00024e6",
)
ASSESS_KEY = "b02ca2586478029ec835ffe0a0f32534ebb51d8fcef14519245a06d448338541"
GATHER_KEY = "f78de9026d566a40f16994db21cf696525feaf51c4370e700ba27f4e6aaeee66"
EMBED_KEY = "b2b4fc30ef87569372a2e7e6488f04c85d445582c8c19841257843164826c5b4"


@pytest.fixture
def bridged(monkeypatch):
    """Sources that mean today what that version's meant, whatever they come to mean."""
    table = {meaning_of(STEPS_CODE): STEPS, meaning_of(CODE): SCANS}
    monkeypatch.setattr("aegis.core.source.SAME_AS", table)
    code_digest.cache_clear()
    yield
    code_digest.cache_clear()


def test_without_a_bridge_a_source_is_named_by_its_meaning(monkeypatch):
    monkeypatch.setattr("aegis.core.source.SAME_AS", {})
    assert code_digest.__wrapped__(STEPS_CODE) == meaning_of(STEPS_CODE)


@pytest.mark.usefixtures("bridged")
def test_keys_are_those_of_old_stores():
    config, data = ScanConfig(gather=OLD), dataset()
    keys = StepKeys("1" * 64, data.digest, "cpu", "fp32")
    assert keys.assess(config.assess) == ASSESS_KEY
    assert keys.gather(1, config.gather) == GATHER_KEY
    assert keys.embed(evidence(1), config.embed) == EMBED_KEY


def test_scores_of_old_calibrations_are_read_as_excesses():
    old = read_record(KEPT / "record.json")
    verdict = config_of(old).verdict
    assert [null.maxima for null in verdict.nulls] == [
        of_scores(null["family"], null["maxima"]).maxima for null in old.config["verdict"]["nulls"]
    ]
    # Judged by them, what was said then is said again.
    assert [one.p_value for one in judge_again(old, verdict).classes] == [one.p_value for one in old.classes]


def test_an_old_scan_is_read_and_its_class_found(store):
    record = read_record(KEPT / "record.json")
    assert replace(config_of(record), verdict=VerdictConfig()) == ScanConfig(gather=OLD)
    for key, name in ((GATHER_KEY, "class1.npz"), (EMBED_KEY, "planes1.npz")):
        with np.load(KEPT / name) as arrays:
            store.keep(key, dict(arrays))
    assert_same(find_class(store, record, 1).evidence, evidence(1))
