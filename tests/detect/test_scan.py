"""From a model and images to a verdict, whatever the class is called and however the file is named."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from aegis.core.errors import AegisError, ConfigError, DataError
from aegis.core.runtime import Cancelled, Runtime
from aegis.core.source import STEPS_CODE, code_digest, revision
from aegis.core.types import Applicability, Dataset, LabelledImages, Stage
from aegis.core.version import processor
from aegis.detect.scan import scan, with_sizes
from aegis.detect.verdict import objections
from aegis.models.card import Card, Truth, save_checkpoint
from aegis.models.classifier import Classifier
from aegis.models.load import load_checkpoint
from aegis.records.config import AssessConfig, GatherConfig, ScanConfig, TriggerSearchConfig
from aegis.records.record import config_of
from tests.detect.toy import IDENTITY, NAMES, ONE, SMALL, TARGET, suspect_of

# All that a scan does, at a small part of its cost; the area and radius are given, so that nothing is computed anew.
SEARCH = TriggerSearchConfig(
    area=0.05, radius=0.5, clusters=2, tiles=1, steps=2, refine_steps=2, top_k=1, batch=16, held_out=4
)
LIGHT = replace(
    SMALL,
    assess=AssessConfig(images=40, epsilons=(0.5, 1.0), iterations=2, perturbation_steps=4, patch_steps=4),
    gather=replace(SMALL.gather, seeds=20, trigger_search=SEARCH),
    embed=replace(SMALL.embed, perplexity=5),
)


def changed(data: Dataset, change) -> Dataset:
    """The data with ``change(pixels, labels)`` done to both splits."""
    train, test = (
        LabelledImages(*change(split.pixels, split.labels), split.class_names) for split in (data.train, data.test)
    )
    return Dataset(data.name, train, test)


def same_finding(a, b) -> bool:
    """Whether two classes were found to be alike to the last bit."""
    ours, theirs = a.finding.evidence, b.finding.evidence
    return (
        a.record == b.record
        and (ours.translated == theirs.translated).all()
        and (ours.features == theirs.features).all()
        and all((s.stamp.add == t.stamp.add).all() for s, t in zip(ours.triggers, theirs.triggers, strict=True))
        and all((s.assignment == t.assignment).all() for s, t in zip(a.finding.clusters, b.finding.clusters))
    )


def test_the_planted_backdoor_is_named_and_the_clean_twin_is_clean(scans):
    assert (scans.infected.verdict, scans.infected.flagged_classes) == ("infected", (TARGET,))
    assert f"class {TARGET} ({NAMES[TARGET]})" in scans.infected.sentence
    assert objections(scans.infected.applicability, SMALL.verdict, [TARGET]) == ()
    assert (scans.clean.verdict, scans.clean.flagged_classes) == ("clean", ())
    # Translation reaches every class.
    assert min(result.finding.evidence.success[-1] for result in scans.infected.classes) >= 0.75


def test_the_record_says_what_the_result_does(scans):
    record = scans.infected.record("model.safetensors")
    assert (record.verdict, record.flagged_classes) == ("infected", (TARGET,))
    assert type(record).model_validate_json(record.to_json()) == record
    assert set(record.seconds) == {"assess", "gather", "embed", "judge", "classes"}


def test_bfloat16_does_not_change_the_verdict(infected, data, scans):
    found = scan(infected, data, SMALL, labels=[0, TARGET], runtime=Runtime(precision="bf16"))
    assert (found.verdict, found.flagged_classes) == (scans.infected.verdict, scans.infected.flagged_classes)


def test_a_network_of_float32_alone_is_scanned_and_recorded_so(infected, data):
    class Exact(nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, x):
            return self.network(x.float())

    said = infected.identity
    classifier = Classifier(Exact(infected.classifier.network), said.shape, said.mean, said.std).eval()
    suspect = replace(infected, classifier=classifier)
    result = scan(suspect, data, LIGHT, labels=[TARGET], runtime=Runtime(precision="bf16"))
    ran = result.record("model.safetensors").runtime
    assert (ran.device, ran.precision, ran.instead_of) == ("cpu", "fp32", "cpu, bf16")
    plain = scan(infected, data, LIGHT, labels=[TARGET], runtime=Runtime())
    assert plain.record("model.safetensors").runtime.instead_of == ""
    assert same_finding(result.classes[0], plain.classes[0])


def test_the_verdict_knows_neither_the_truth_nor_the_files_name_nor_the_other_classes(infected, data, scans, tmp_path):
    telling = tmp_path / f"backdoor-target-{TARGET}.safetensors"
    save_checkpoint(telling, infected.classifier, Card(IDENTITY, Truth(robust=True, metrics={"accuracy": 1.0})))
    loaded = load_checkpoint(telling, architecture=IDENTITY.architecture)
    found = scan(loaded, data, SMALL, labels=[TARGET], runtime=ONE)
    assert found.sentence == scans.infected.sentence
    assert found.flagged_classes == (TARGET,)
    assert same_finding(found.classes[0], scans.infected.classes[TARGET])


class Mirror(nn.Module):
    """Left becomes right."""

    def forward(self, x):
        return x.flip(-1)


def test_the_backdoor_is_found_in_the_mirror_and_under_another_label(infected, data):
    """A mirror before the network, classes renamed, and images likewise: the same model of the same world."""
    order = [TARGET, 2, 0, 1]
    classifier = Classifier(nn.Sequential(Mirror(), copy.deepcopy(infected.classifier.network)), (1, 12, 12)).eval()
    last = classifier.network[1][-1]
    with torch.no_grad():
        last.weight.copy_(last.weight[order].clone())
        last.bias.copy_(last.bias[order].clone())
    renamed = np.argsort(order)
    world = changed(data, lambda pixels, labels: (np.ascontiguousarray(pixels[..., ::-1]), renamed[labels]))
    found = scan(suspect_of(classifier), world, SMALL, runtime=ONE)
    assert (found.verdict, found.flagged_classes) == ("infected", (order.index(TARGET),))


@pytest.mark.parametrize("stage", ["assess", "translate", "search", "embed"])
def test_a_report_can_cancel_at_every_stage(infected, data, stage):
    def cancel(event):
        if event.stage == stage:
            raise Cancelled

    with pytest.raises(Cancelled):
        scan(infected, data, LIGHT, runtime=Runtime(workers=2), report=cancel)


def test_other_images_are_refused(infected, data):
    small = changed(data, lambda pixels, labels: (np.ascontiguousarray(pixels[..., :10]), labels))
    with pytest.raises(DataError, match="--data"):
        scan(infected, small, SMALL, runtime=ONE)
    train = LabelledImages(data.train.pixels, data.train.labels, (*NAMES, "fifth"))
    with pytest.raises(DataError, match="5 classes"):
        scan(infected, Dataset("more", train, train), SMALL, runtime=ONE)

    for label in (-1, 4):
        with pytest.raises(ConfigError, match="--classes"):
            scan(infected, data, SMALL, labels=[label], runtime=ONE)
    train = data.train.take(data.train.labels != 2)
    with pytest.raises(AegisError, match="class 2"):
        scan(infected, Dataset("gap", train, data.test), SMALL, labels=[2], runtime=ONE)


def test_a_perplexity_that_is_too_large_is_refused_before_anything_is_computed(infected, data):
    events = []
    config = replace(SMALL, embed=replace(SMALL.embed, perplexity=1000))
    with pytest.raises(DataError, match="perplexity"):
        scan(infected, data, config, runtime=ONE, report=events.append)
    assert events == []


def test_the_sizes_of_triggers_follow_what_ordinary_classes_need():
    measured = Applicability(
        0.8, (0.5,), (0.0,), universal_radii=(3.0, 2.0, 0.1, 2.5), universal_areas=(0.2, 0.01, 0.1, 0.3)
    )
    search = TriggerSearchConfig(norm_fraction=0.5, area_fraction=0.25)
    gather = GatherConfig(stages=(Stage(epsilon=1, step=1, iterations=1),), trigger_search=search)
    config = ScanConfig(gather=gather)
    # One class that is reached at once may be a backdoor's, and must not make its own trigger too small to be found.
    assert with_sizes(config, measured).gather.trigger_search.radius == 1.25
    assert with_sizes(config, measured).gather.trigger_search.area == 0.05
    given = replace(config, gather=replace(gather, trigger_search=TriggerSearchConfig(area=0.1, radius=0.3)))
    assert with_sizes(given, measured) == given
    without = replace(config, gather=replace(gather, trigger_search=None))
    assert with_sizes(without, measured) is without


def test_the_same_seed_gives_the_same_bytes_apart_from_times(infected, data):
    """However many classes are examined side by side, and by how many threads."""
    told = []
    for workers, threads in ((1, 1), (2, 2)):
        torch.set_num_threads(threads)
        record = scan(infected, data, LIGHT, labels=[1, TARGET], runtime=Runtime(workers=workers)).record("a.pt")
        told.append(record.model_copy(update={"created": "", "seconds": {}}).to_json())
    assert told[0] == told[1]


def test_the_record_says_all_that_repeats_it(infected, data, scans):
    record = scan(infected, data, LIGHT, labels=[TARGET, 1, TARGET], runtime=ONE).record("a.pt")
    assert record.labels == (TARGET, 1)
    assert scans.infected.record("a.pt").labels is None
    assert (record.model.mean, record.model.std) == (IDENTITY.mean, IDENTITY.std)
    assert record.source.code == code_digest(STEPS_CODE)
    assert record.source.revision == revision().commit
    assert record.runtime.hardware == processor()
    assert config_of(record) == LIGHT
