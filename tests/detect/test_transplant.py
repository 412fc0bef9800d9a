"""A planted patch is found where it lies, works for its class alone, and is not found in a clean twin."""

import numpy as np
import pytest
import torch

from aegis.detect.config import TransplantConfig
from aegis.detect.transplant import Patch, Perturbation, Start, find_starts, hold_out, transplant
from aegis.runtime import Cancelled, Runtime, numpy_generator, silent
from tests.detect.toy import SMALL, TARGET, pictures, trigger

CPU = torch.device("cpu")
OTHERS = [label for label in range(4) if label != TARGET]


def best(result, label: int, family: str):
    """The best candidate of a family for a class."""
    transplants = result.classes[label].finding.evidence.transplants
    return next(t for t in transplants if t.family == family)


def start() -> Start:
    generator = np.random.default_rng(0)
    change, image = generator.normal(size=(1, 12, 12)), generator.uniform(size=(1, 12, 12))
    return Start(change.astype(np.float32), image.astype(np.float32), "somewhere")


def test_the_planted_patch_is_found_for_its_class(scans):
    found = best(scans.infected, TARGET, "patch")
    assert np.nanmin(found.flip_rates) >= 0.9
    assert np.isnan(found.flip_rates[TARGET])
    assert found.counts.tolist() == [0 if label == TARGET else 20 for label in range(4)]


def test_it_is_found_where_it_lies(scans):
    touched = best(scans.infected, TARGET, "patch").stamp.touched
    assert touched.sum() == 9
    assert (touched & trigger().touched).sum() >= 3


@pytest.mark.parametrize("label", OTHERS)
@pytest.mark.parametrize("family", ["patch", "perturbation"])
def test_no_other_class_has_such_a_trigger(scans, label, family):
    assert best(scans.infected, label, family).flip_rate <= 0.5


@pytest.mark.parametrize("label", range(4))
@pytest.mark.parametrize("family", ["patch", "perturbation"])
def test_the_clean_twin_has_none(scans, label, family):
    assert best(scans.clean, label, family).flip_rate <= 0.5


def test_each_family_keeps_its_budget_and_comes_best_first(scans):
    config = SMALL.gather.transplant
    for result in scans.infected.classes + scans.clean.classes:
        transplants = result.finding.evidence.transplants
        assert [t.family for t in transplants] == ["patch"] * config.keep + ["perturbation"] * config.keep
        for family in ("patch", "perturbation"):
            rates = [t.flip_rate for t in transplants if t.family == family]
            assert rates == sorted(rates, reverse=True)
        for t in transplants:
            if t.family == "patch":
                assert t.stamp.touched.sum() == round(config.area * 144)
            else:
                assert np.linalg.norm(t.stamp.add) <= config.radius + 1e-5


def test_a_run_can_be_repeated(infected, data, scans):
    evidence = scans.infected.classes[TARGET].finding.evidence
    config = TransplantConfig(area=9 / 144, radius=0.8, clusters=2, steps=5, held_out=5)
    first, again = (
        transplant(
            infected.classifier.frozen(Runtime()),
            data.train.pixels[evidence.seed_index],
            evidence.translated,
            data.test,
            TARGET,
            config,
            numpy_generator(0),
            silent,
        )
        for _ in range(2)
    )
    for a, b in zip(first, again, strict=True):
        assert (a.stamp.keep == b.stamp.keep).all()
        assert (a.stamp.add == b.stamp.add).all()
        assert a.start == b.start


def test_it_can_be_cancelled(infected, data, scans):
    evidence = scans.infected.classes[TARGET].finding.evidence

    def cancel(event):
        assert (event.stage, event.label) == ("transplant", TARGET)
        raise Cancelled

    model, seeds = infected.classifier.frozen(Runtime()), data.train.pixels[evidence.seed_index]
    config = SMALL.gather.transplant
    with pytest.raises(Cancelled):
        transplant(model, seeds, evidence.translated, data.test, TARGET, config, numpy_generator(0), cancel)


def test_starts_are_the_planted_groups_of_changes():
    seeds = np.full((20, 1, 12, 12), 0.5, np.float32)
    translated = np.full((1, 20, 1, 12, 12), 128, np.uint8)
    translated[0, :8, 0, 2, 2] = 255
    translated[0, 8:, 0, 9, 9] = 0
    starts = find_starts(seeds, translated, 2, np.random.default_rng(0))
    where = {tuple(np.argwhere(np.abs(s.change[0]) > 0.4).ravel().tolist()) for s in starts}
    assert where == {(2, 2), (9, 9)}
    assert [s.name for s in starts] == ["budget 1, change cluster 1", "budget 1, change cluster 2"]


@pytest.mark.parametrize(("count", "kept"), [(5, 5), (30, 30), (100, 30)])
def test_held_out_images_are_of_every_other_class(count, kept):
    chosen = hold_out(pictures(2, 30), 1, count, np.random.default_rng(0))
    assert np.bincount(chosen.labels, minlength=4).tolist() == [kept, 0, kept, kept]


@pytest.mark.parametrize("temperature", [0.3, 0.03, 0.009])
@pytest.mark.parametrize("area", [0.02, 0.25])
def test_the_soft_mask_has_the_allowed_area(temperature, area):
    patch = Patch(start(), area, CPU)
    mask = patch.mask(temperature, patch.pixels).detach()
    assert 0 <= float(mask.min()) <= float(mask.max()) <= 1
    assert float(mask.sum()) == pytest.approx(patch.pixels, rel=1e-2)


def test_a_patch_covers_at_least_one_pixel():
    assert Patch(start(), 1e-6, CPU).stamp().touched.sum() == 1


def test_a_perturbation_starts_inside_its_ball():
    assert np.linalg.norm(Perturbation(start(), 0.7, CPU).stamp().add) == pytest.approx(0.7, rel=1e-5)
    change = start().change
    inside = Perturbation(start(), 1000.0, CPU).stamp().add
    np.testing.assert_allclose(inside, change, rtol=1e-6)
