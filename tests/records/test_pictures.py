"""Arrays as pictures."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from aegis.core.types import Stamp
from aegis.records.pictures import UNTOUCHED, as_rgb, png, strip, trigger
from tests.report.made import candidate

RATES = [0.5, 0.5]


def test_grey_colour_and_other_channels_become_colour():
    grey = as_rgb(np.full((1, 1, 2, 2), 7, np.uint8))
    assert (grey == 7).all()
    colour = np.zeros((1, 3, 2, 2), np.uint8)
    colour[0, 2] = 9
    assert as_rgb(colour)[0, 0, 0].tolist() == [0, 0, 9]
    two = np.stack([np.full((2, 2), 10, np.uint8), np.full((2, 2), 20, np.uint8)])[None]
    assert (as_rgb(two) == 15).all()
    assert as_rgb(two).shape == (1, 2, 2, 3)
    # One picture becomes colour as many do.
    four = np.random.default_rng(0).integers(0, 256, (2, 4, 3, 5), dtype=np.uint8)
    assert as_rgb(four[0]).shape == (3, 5, 3)
    np.testing.assert_array_equal(as_rgb(four[1]), as_rgb(four)[1])


def test_a_patch_shows_its_pixels_on_as_much_of_a_tint_as_it_leaves():
    whole = candidate("patch", 0, RATES)
    shown = trigger(whole)
    assert (shown[:2, :2] == 255).all()
    assert (shown[2:] == UNTOUCHED).all()
    half = Stamp((1 + whole.stamp.keep) / 2, whole.stamp.add / 2)
    shown = trigger(replace(whole, stamp=half)).astype(int)
    assert np.abs(shown[:2, :2] - (np.array(UNTOUCHED) + 255) / 2).max() <= 1
    assert (shown[2:] == UNTOUCHED).all()


def test_of_a_trigger_what_is_left_of_it_is_shown():
    whole = candidate("source-specific", 0, RATES, source=1)
    keep = whole.stamp.keep.copy()
    keep[0, 1, :2] = 1
    shown = trigger(replace(whole, smallest=Stamp(keep, 1 - keep)))
    assert (shown[0, :2] == 255).all()
    assert (shown[1:] == UNTOUCHED).all()


def test_a_perturbation_shows_both_signs_alike():
    shown = trigger(candidate("perturbation", 0, RATES)).astype(int)
    left, right = shown[0, 0], shown[0, -1]
    assert left[0] > left[2]  # orange takes away
    assert right[2] > right[1]  # purple adds
    assert shown[0, 3:5].min() > 190


@pytest.mark.parametrize("size", [(8, 8), (300, 200), (1, 1)])
def test_a_strip_puts_pictures_side_by_side(size):
    pictures = [np.full((*size, 3), value, np.uint8) for value in (10, 20)]
    whole = strip(pictures, 40)
    assert whole.shape[0] == 40
    assert set(np.unique(whole)) == {10, 20, 255}
    assert Image.open(png(whole, None)).size == (whole.shape[1], 40)
