"""What the last version kept that named sources by their bytes: it is found under today's keys."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aegis.core.source import CODE, STEPS_CODE, code_digest, meaning_of
from aegis.records.config import ScanConfig, VerdictConfig
from aegis.records.presets import preset
from aegis.records.record import config_of, read_record
from aegis.store.cached_steps import find_class
from aegis.store.keys import StepKeys, scan_key
from tests.stored import GATHER, assert_same, dataset, evidence

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
SCAN_KEY = "ebaddcff733766618c8f0e626fcef8e354b6554a80a65dfa473ca605747d6801"
PAPER_KEY = "14680d0755ea0a6caead6d65299dd41f6c3cad70acb83c817c8eff097b87800e"


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
    # Thresholds are part of a scan's key, with the null distributions of that time.
    verdict = config_of(read_record(KEPT / "record.json")).verdict
    config, data = ScanConfig(gather=GATHER, verdict=verdict), dataset()
    keys = StepKeys("1" * 64, data.digest, "cpu", "fp32")
    assert keys.assess(config.assess) == ASSESS_KEY
    assert keys.gather(1, config.gather) == GATHER_KEY
    assert keys.embed(evidence(1), config.embed) == EMBED_KEY
    model = ("0" * 64, None, None)
    assert scan_key("model.pt", model, data, config, None, "auto", "auto") == SCAN_KEY
    paper = preset("paper", "mnist", (1, 28, 28))
    paper = replace(paper, verdict=replace(paper.verdict, nulls=verdict.nulls))
    assert scan_key("model.pt", model, data, paper, (1, 2), "cpu", "bf16") == PAPER_KEY


def test_an_old_scan_is_read_and_its_class_found(store):
    record = read_record(KEPT / "record.json")
    assert replace(config_of(record), verdict=VerdictConfig()) == ScanConfig(gather=GATHER)
    for key, name in ((GATHER_KEY, "class1.npz"), (EMBED_KEY, "planes1.npz")):
        with np.load(KEPT / name) as arrays:
            store.keep(key, dict(arrays))
    assert_same(find_class(store, record, 1).evidence, evidence(1))
