"""What one class gives, and which images are too few for it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from aegis.core.errors import DataError
from aegis.core.runtime import Runtime
from aegis.core.types import FAMILIES, Dataset, as_pixels
from aegis.detect.gather import MIN_SEEDS, gather
from aegis.metrics import confusion_with_trigger, predict
from aegis.models.classifier import Classifier
from tests.detect.toy import SMALL, TARGET, pictures

LABEL = 1
FEW = replace(SMALL.gather, seeds=20, stages=SMALL.gather.stages[:1], trigger_search=None)


@pytest.fixture(scope="module")
def fast(infected):
    return infected.classifier.frozen(Runtime())


def few(per_class: int, test_labels: tuple[int, ...] = (0, 1, 2, 3)) -> Dataset:
    test = pictures(1, 5)
    return Dataset("few", pictures(0, per_class), test.take(np.isin(test.labels, test_labels)))


def deaf_classifier() -> Classifier:
    """Says class 0 of every image, whatever is done to it."""
    layer = nn.Linear(144, 4)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))
    return Classifier(nn.Sequential(nn.Flatten(), layer), (1, 12, 12)).eval()


def test_evidence_is_of_the_class_and_of_seeds_of_the_others(fast, data):
    found = gather(fast, data, LABEL, FEW)
    assert found.label == LABEL
    assert found.budgets == (2,)
    assert (data.train.labels[found.train_index] == LABEL).all()
    assert (data.train.labels[found.seed_index] != LABEL).all()
    assert len(set(found.train_index.tolist())) == len(set(found.seed_index.tolist())) == 20
    assert found.features.shape == (1, 40, 20)
    assert found.is_translated.sum() == 20
    assert found.triggers == ()


def test_success_is_what_the_model_says_of_the_pictures_that_are_kept(fast, data, scans):
    found = scans.infected.classes[LABEL].finding.evidence
    said = [(predict(fast, as_pixels(images)) == LABEL).mean() for images in found.translated]
    np.testing.assert_array_equal(found.success, np.array(said, np.float32))
    # Pictures have 256 levels, so that they may leave the ball by half a level a pixel.
    seeds = data.train.pixels[found.seed_index]
    for images, budget in zip(found.translated, found.budgets, strict=True):
        lengths = np.linalg.norm((as_pixels(images) - seeds).reshape(len(seeds), -1), axis=1)
        assert lengths.max() <= budget + 12 * 0.5 / 255 + 1e-5


def test_what_is_said_of_a_transplant_is_what_it_does(fast, data, scans):
    for candidate in scans.infected.classes[TARGET].finding.evidence.triggers:
        confusion = confusion_with_trigger(fast, candidate.stamp, data.test)
        on_all = replace(candidate, confusion=np.where(candidate.counts[:, None] > 0, confusion, 0)[None])
        # Twenty of the thirty test images of a class were held out for it.
        np.testing.assert_allclose(candidate.flip_rates, on_all.flip_rates, atol=0.34)
        assert (candidate.confusion.sum(axis=0) <= confusion).all()


def test_the_seed_alone_decides(fast, data):
    one, again, other = (gather(fast, data, LABEL, replace(FEW, seed=seed)) for seed in (3, 3, 4))
    for name in ("seed_index", "translated", "features"):
        assert (getattr(one, name) == getattr(again, name)).all()
    assert set(one.seed_index.tolist()) != set(other.seed_index.tolist())


def test_as_many_images_as_there_are_will_do_unless_they_are_too_few(fast):
    found = gather(fast, few(4), LABEL, FEW)
    assert (len(found.train_index), len(found.seed_index)) == (4, 12)

    with pytest.raises(DataError, match=f"at least {MIN_SEEDS} training images of other classes than {LABEL}; got 9"):
        gather(fast, few(3), LABEL, SMALL.gather)


def test_a_class_that_no_transplant_could_be_tried_for_is_refused(fast):
    """Nothing would be found, and the class would pass for clean."""
    others = [label for label in range(4) if label != LABEL]
    for kept, missing in (((LABEL,), others), ((LABEL, *others[1:]), others[:1])):
        wanted = f"all classes but {LABEL}; got none of {', '.join(map(str, missing))}\\."
        with pytest.raises(DataError, match=wanted):
            gather(fast, few(10, test_labels=kept), LABEL, SMALL.gather)
    assert gather(fast, few(10, test_labels=(LABEL,)), LABEL, FEW).triggers == ()


@pytest.mark.parametrize("seeds", [FEW.seeds, MIN_SEEDS])
def test_a_model_that_nothing_moves_gives_evidence_of_that(data, seeds):
    """Without gradients every change is nothing, and all of them make one cluster instead of three."""
    config = replace(FEW, seeds=seeds, trigger_search=replace(SMALL.gather.trigger_search, steps=2, held_out=2))
    train = replace(data.train, pixels=np.round(data.train.pixels * 255) / np.float32(255))
    found = gather(deaf_classifier(), Dataset("8-bit", train, data.test), LABEL, config)
    np.testing.assert_array_equal(as_pixels(found.translated[0]), train.pixels[found.seed_index])
    assert {t.family for t in found.triggers} == set(FAMILIES)
    for candidate in found.triggers:
        assert candidate.score(0.75) == 0
        assert candidate.flip_rate == 0 or candidate.family == "all-to-all"
        assert np.isfinite(candidate.stamp.add).all()


def test_of_many_classes_few_are_sources_and_the_trigger_is_found_all_the_same(infected, data, monkeypatch):
    for module in ("sources", "success", "translate"):
        monkeypatch.setattr(f"aegis.detect.{module}.MANY_CLASSES", 3)
    monkeypatch.setattr("aegis.detect.sources.SOURCES", 1)
    monkeypatch.setattr("aegis.detect.success.WITNESSES", 2)
    # As for large images, few stamps are optimised at a time.
    monkeypatch.setattr("aegis.detect.bounds.STEP_VALUES", 5 * 45 * 144)
    events = []
    config = SMALL.gather
    found = gather(infected.classifier.frozen(Runtime()), data, TARGET, config, report=events.append)
    labels = data.train.labels[found.seed_index]
    even, own = labels[: config.seeds // 2], labels[config.seeds // 2 :]
    assert set(even) == {0, 1, 2}
    assert len(set(own)) == 1
    by_family = {family: [t for t in found.triggers if t.family == family] for family in FAMILIES}
    assert {t.source for t in by_family["source-specific"]} == set(own)
    # Triggers for all classes are tried on images of some, which are not chosen for being near.
    assert {int((t.counts > 0).sum()) for t in by_family["patch"]} == {2}
    assert by_family["patch"][0].flip_rate > 0.8
    searched = [event for event in events if event.stage == "search"]
    assert (searched[-1].step, max(event.step for event in searched)) == (searched[-1].total,) * 2
