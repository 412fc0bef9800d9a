"""Stamps that are refined side by side: each within its budget, and each as if it were alone."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from aegis.attacks.patches import COLD, WARM, Patches, soft_masks, thresholds
from aegis.attacks.stamps import Perturbations, Start

CPU = torch.device("cpu")
SHAPE = (1, 12, 12)


def start(seed=0) -> Start:
    generator = np.random.default_rng(seed)
    change, image = generator.normal(size=SHAPE), generator.uniform(size=SHAPE)
    return Start(change.astype(np.float32), image.astype(np.float32), "somewhere")


def starts(count: int) -> list[Start]:
    return [start(seed) for seed in range(count)]


def patches(some, area=9 / 144, wide=0.3):
    return Patches.at(some, area, wide, CPU)


def perturbations(some):
    return Perturbations.at(some, 0.7, CPU)


def images(count=3) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(9).uniform(0.3, 0.7, (count, *SHAPE)).astype(np.float32))


# What each pixel is worth to a loss that all stamps of a test go down.
WORTH = torch.from_numpy(np.random.default_rng(7).normal(size=SHAPE).astype(np.float32))


def refine(stamps, steps=20, worth=WORTH):
    """Down a loss that is linear in the pixels."""
    for step in range(steps):
        down(stamps, (step + 1) / steps, worth)
    return stamps


def down(stamps, progress, worth=WORTH):
    """One step; the gradient of such a loss is the same for every image."""
    stamped = stamps.on(images(), progress)
    stamps.step(stamped, (-worth).expand_as(stamped), progress)


def weight(stamp) -> float:
    """How many whole pixels a patch replaces."""
    return float((1 - stamp.keep).max(axis=0).sum())


@pytest.mark.parametrize("temperature", [WARM, COLD, 0.009])
@pytest.mark.parametrize("area", [0.02, 0.25])
def test_every_soft_mask_has_the_allowed_area(temperature, area):
    some = patches(starts(3), area)
    middle = thresholds(some.scores.detach().flatten(1), temperature, some.pixels)
    masks = soft_masks(some.scores, temperature, middle).detach()
    assert masks.shape == (3, 12, 12)
    assert 0 <= float(masks.min()) <= float(masks.max()) <= 1
    assert masks.sum((1, 2)).tolist() == pytest.approx([some.pixels] * 3, rel=1e-2)


def test_a_patch_covers_at_least_one_pixel():
    (stamp,) = patches([start()], 1e-6).stamps()
    assert stamp.touched.any()
    assert 0 < weight(stamp) <= 1.01


def test_a_patch_begins_wide_and_shrinks_to_its_area():
    white = Start(start().change, np.ones(SHAPE, np.float32), "white")
    some = patches([white], area=0.05, wide=0.4)
    covered = [
        float(some.on(torch.zeros(1, *SHAPE), progress).detach().mean()) for progress in (1e-6, 0.3, 0.6, 0.9, 1)
    ]
    assert covered == sorted(covered, reverse=True)
    assert covered[0] == pytest.approx(0.4, rel=0.02)
    assert covered[-1] == pytest.approx(round(0.05 * 144) / 144, rel=0.02)


def test_a_patch_lies_where_its_start_says_and_shows_its_picture():
    change, image = np.zeros(SHAPE, np.float32), start().image
    change[0, 3:6, 4:7] = 1
    (stamp,) = patches([Start(change, image, "a square")]).stamps()
    heaviest = np.argsort(stamp.keep[0].ravel())[:9]
    assert set(heaviest.tolist()) == set(np.flatnonzero(change[0]).tolist())
    inside = change[0] == 1
    np.testing.assert_allclose(stamp.add[0][inside], ((1 - stamp.keep) * image)[0][inside], rtol=1e-5)


@pytest.mark.parametrize("make", [patches, perturbations])
def test_what_was_refined_is_what_its_stamps_do(make):
    some = refine(make(starts(2)), 5)
    shown = some.on(images(), 1.0).detach().numpy()
    for each, stamp in zip(shown, some.stamps(), strict=True):
        # What hardly weighs on a pixel is left out of a stamp.
        np.testing.assert_allclose(stamp(images().numpy()), each, atol=0.011)


@pytest.mark.parametrize("make", [patches, perturbations])
def test_several_side_by_side_become_what_each_would_alone(make):
    together = refine(make(starts(3))).stamps()
    for one, beside in zip(starts(3), together, strict=True):
        (alone,) = refine(make([one])).stamps()
        np.testing.assert_allclose(beside.keep, alone.keep, atol=1e-4)
        np.testing.assert_allclose(beside.add, alone.add, atol=1e-4)


def test_each_is_of_one_piece_or_not_whatever_the_others_are():
    def make(some, together):
        return refine(Patches.at(some, 9 / 144, 0.3, CPU, together)).stamps()

    mixed = make(starts(2), [True, False])
    alone = [*make([start(0)], [True]), *make([start(1)], [False])]
    for one, other in zip(mixed, alone, strict=True):
        np.testing.assert_allclose(one.keep, other.keep, atol=1e-4)
    (free,) = make([start(0)], [False])
    assert np.abs(free.keep - mixed[0].keep).max() > 0.1


IMPORTS = """
import sys, torch
from tests.attacks.test_stamps import patches, perturbations, refine, starts
refine(patches(starts(1)), 1)
refine(perturbations(starts(1)), 1)
sys.exit(bool({"sympy", "torch._dynamo"} & set(sys.modules)))
"""


def test_a_search_imports_no_compiler_and_no_algebra():
    """Each takes seconds in every new process."""
    assert subprocess.run([sys.executable, "-c", IMPORTS], timeout=120).returncode == 0


def test_a_patch_comes_to_lie_on_the_pixels_that_matter():
    worth = torch.zeros(SHAPE)
    worth[0, 8:11, 1:4] = 5
    inside = (worth[0] > 0).numpy()
    everywhere = Start(np.ones(SHAPE, np.float32), np.full(SHAPE, 0.8, np.float32), "light everywhere")
    (stamp,) = refine(patches([everywhere]), 40, worth).stamps()
    assert weight(stamp) <= 9.1
    assert (1 - stamp.keep[0])[inside].sum() > 8
    np.testing.assert_allclose(stamp.add[0][inside], (1 - stamp.keep[0])[inside], atol=0.01)


def test_a_perturbation_goes_down_its_loss_and_stays_in_its_ball():
    (stamp,) = perturbations([start()]).stamps()
    assert np.linalg.norm(stamp.add) == pytest.approx(0.7, rel=1e-5)
    (inside,) = Perturbations.at([start()], 1000.0, CPU).stamps()
    np.testing.assert_allclose(inside.add, start().change, rtol=1e-6)
    some = perturbations(starts(2))
    for progress in np.linspace(0.1, 1, 10):
        down(some, float(progress))
        for stamp in some.stamps():
            assert np.linalg.norm(stamp.add) <= 0.7 + 1e-5
            assert (stamp.keep == 1).all()
    most = 0.7 * float(WORTH.norm())
    for stamp in some.stamps():
        assert 0.95 * most < (stamp.add * WORTH.numpy()).sum() <= 1.001 * most


@pytest.mark.parametrize("make", [patches, perturbations])
def test_some_of_them_go_on_from_where_they_are(make):
    before = refine(make(starts(3)))
    stamps, again = before.stamps(), before.again([2, 0])
    for stamp, same in zip((stamps[2], stamps[0]), again.stamps(), strict=True):
        np.testing.assert_allclose(same.keep, stamp.keep, atol=1e-4)
        np.testing.assert_allclose(same.add, stamp.add, atol=1e-4)
    refine(again, 10)
    # Those that they came from stay as they were, and going on loses nothing that was won.
    for stamp, same in zip(stamps, before.stamps(), strict=True):
        np.testing.assert_array_equal(same.add, stamp.add)
    for stamp, better in zip((stamps[2], stamps[0]), again.stamps(), strict=True):
        gains = [(one(images().numpy()) * WORTH.numpy()).sum() for one in (stamp, better)]
        assert gains[1] > gains[0] - 0.01


def test_a_patch_that_goes_on_keeps_its_area_or_takes_another_one():
    before = refine(patches(starts(2)))
    assert [weight(stamp) for stamp in before.again([0, 1]).stamps()] == pytest.approx([9, 9], rel=0.05)
    wider = before.again([0, 1], 18 / 144)
    # It begins no wider than it ends.
    for progress in (0.1, 1.0):
        masks = 1 - (wider.on(torch.ones(1, *SHAPE), progress) - wider.on(torch.zeros(1, *SHAPE), progress))
        assert masks.detach().sum((1, 2, 3, 4)).tolist() == pytest.approx([18, 18], rel=0.02)


@pytest.mark.parametrize("make", [patches, perturbations])
def test_what_nothing_moves_stays_finite(make):
    """Without gradients nothing is to be divided by."""
    some = make([Start(np.zeros(SHAPE, np.float32), start().image, "nowhere")])
    for progress in (0.5, 1.0):
        down(some, progress, 0 * WORTH)
    (stamp,) = some.stamps()
    assert np.isfinite(stamp.keep).all()
    assert np.isfinite(stamp.add).all()
