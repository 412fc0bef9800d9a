"""Costly steps: computed once, and found again without model and images."""

import dataclasses

import numpy as np

from aegis.core.runtime import Runtime
from aegis.core.source import STEPS_CODE, code_digest
from aegis.records.config import EmbedConfig, JudgeConfig, ScanConfig
from aegis.records.record import SourceRecord, config_record
from aegis.store.cached_steps import find_class
from aegis.store.store import Store
from tests.stored import ASSESS, EMBED, GATHER, Counted, assert_same, dataset, evidence, planes, record


def test_each_step_is_computed_once_and_found_again(store):
    counted, results, events = Counted(), [], []
    for _ in range(2):
        # Another process would open the folder anew.
        steps = counted.kept(Store(store.folder))
        found = steps.gather(None, dataset(), 1, GATHER)
        embedded = steps.embed(found, EMBED, report=events.append)
        results.append((steps.assess(None, dataset(), ASSESS), found, embedded))
    assert counted.calls == ["gather", "embed", "assess"]
    # What was found counts as progress.
    assert [(e.stage, e.label, e.step, e.total) for e in events] == [("embed", 1, 1, 1)] * 2
    assert_same(results[0], results[1])
    assert_same(results[1][1], evidence(1))
    assert_same(results[1][2], planes(evidence(1)))


def test_other_models_images_and_precisions_are_not_confused(store):
    counted, machines = Counted(), ({"runtime": Runtime("cpu", "bf16")}, {"runtime": Runtime("cuda", "fp32")})
    for given in ({}, {"digest": "another"}, {"data": dataset(7)}, *machines):
        steps = counted.kept(store, **given)
        steps.assess(None, dataset(), ASSESS)
        steps.gather(None, dataset(), 1, GATHER)
    # The name of the data and the number of workers play no part.
    counted.kept(store, data=dataset(name="other"), runtime=Runtime(workers=7)).assess(None, dataset(), ASSESS)
    assert counted.calls == ["assess", "gather"] * 5


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
    # Of another model, class or settings, there is nothing.
    for lost, label in ((scanned("2" * 64), 2), (scanned(), 1), (scanned(embed=EmbedConfig(perplexity=2)), 2)):
        assert find_class(store, lost, label) is None


def test_what_an_older_source_computed_is_still_found(store, monkeypatch):
    steps, data = Counted().kept(store, "1" * 64, dataset()), dataset()
    steps.embed(steps.gather(None, data, 2, GATHER), EMBED)
    told = scanned().model_copy(update={"source": SourceRecord(code=code_digest(STEPS_CODE))})
    monkeypatch.setattr("aegis.store.keys.code_digest", lambda *_: "0" * 64)
    assert find_class(store, scanned(), 2) is None
    assert_same(find_class(store, told, 2).evidence, evidence(2))
