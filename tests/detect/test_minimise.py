"""What is left of a trigger when all that it can do without is taken away."""

import numpy as np
import pytest

from aegis.core.types import Stamp
from aegis.detect.minimise import minimise_trigger

# In the order of how much of each pixel a patch replaces.
WHERE = [(1, 2), (4, 0), (3, 3), (0, 5), (5, 5), (2, 1)]


def patch() -> Stamp:
    """Six pixels, each replaced a little less than the one before it."""
    keep, add = np.ones((2, 6, 6), np.float32), np.zeros((2, 6, 6), np.float32)
    for i, (row, column) in enumerate(WHERE):
        keep[:, row, column] = 0.1 * i
        add[0, row, column] = 0.9 - 0.1 * i
    return Stamp(keep, add)


def touched(stamp: Stamp) -> set[tuple[int, int]]:
    return {(int(row), int(column)) for row, column in np.argwhere(stamp.touched)}


@pytest.mark.parametrize("needed", [1, 2, 3, 5])
def test_a_patch_is_left_with_the_pixels_that_matter(needed):
    whole = patch()
    smallest = minimise_trigger(whole, lambda stamp: float(set(WHERE[:needed]) <= touched(stamp)), 0.9)
    assert touched(smallest) == set(WHERE[:needed])
    for row, column in WHERE[:needed]:
        np.testing.assert_array_equal(smallest.keep[:, row, column], whole.keep[:, row, column])
        np.testing.assert_array_equal(smallest.add[:, row, column], whole.add[:, row, column])
    image = np.random.default_rng(0).random((1, 2, 6, 6), np.float32)
    outside = np.ones((6, 6), bool)
    outside[tuple(np.transpose(WHERE[:needed]))] = False
    np.testing.assert_array_equal(smallest(image)[..., outside], image[..., outside])


def test_nothing_is_taken_from_a_patch_that_needs_all_of_it():
    whole = patch()
    assert minimise_trigger(whole, lambda stamp: len(touched(stamp)) / 6, 0.9) is whole


@pytest.mark.parametrize(("keep", "left"), [(1.0, 6), (0.8, 5), (0.5, 3)])
def test_so_much_of_the_success_is_kept(keep, left):
    # Half of the images are called the class with the whole of it: what counts is the share of that.
    smallest = minimise_trigger(patch(), lambda stamp: len(touched(stamp)) / 12, keep)
    assert len(touched(smallest)) == left


def perturbation() -> Stamp:
    add = np.random.default_rng(0).normal(size=(1, 6, 6)).astype(np.float32)
    return Stamp(np.ones_like(add), add)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_perturbation_is_made_as_weak_as_suffices(share):
    whole = perturbation()
    enough = share * np.linalg.norm(whole.add) - 1e-4
    smallest = minimise_trigger(whole, lambda stamp: float(np.linalg.norm(stamp.add) >= enough), 0.9)
    np.testing.assert_allclose(smallest.add, share * whole.add, rtol=1e-5)
    assert (smallest.keep == 1).all()
    # Nothing is taken from one that needs all of it.
    norm = np.linalg.norm(whole.add)
    assert minimise_trigger(whole, lambda stamp: float(np.linalg.norm(stamp.add) >= 0.999 * norm), 0.9) is whole


def test_success_is_asked_for_a_few_times_only():
    keep = np.zeros((1, 32, 32), np.float32)
    asked = []
    minimise_trigger(Stamp(keep, keep + 1), lambda stamp: asked.append(stamp) or 1.0, 0.9)
    assert len(asked) <= 1 + np.log2(32 * 32)
