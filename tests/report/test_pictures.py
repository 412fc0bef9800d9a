"""Arrays as pictures."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from aegis.report.pictures import UNTOUCHED, as_rgb, change, png, strip, trigger
from aegis.types import Stamp
from tests.report.made import candidate

RATES = [0.5, 0.5]


def test_channels_become_colours():
    grey = np.full((1, 2, 3), 0.5, np.float32)
    assert (as_rgb(grey) == 128).all()
    red = np.zeros((3, 2, 3), np.float32)
    red[0] = 1
    assert (as_rgb(red) == (255, 0, 0)).all()
    assert as_rgb(np.ones((4, 2, 3), np.float32)).shape == (2, 3, 3)


def test_a_patch_shows_its_pixels_on_a_tint():
    shown = trigger(candidate("patch", 0, RATES))
    assert (shown[:2, :2] == 255).all()
    assert (shown[2:] == UNTOUCHED).all()


def test_what_a_patch_replaces_in_part_shows_as_much_of_the_tint():
    whole = candidate("patch", 0, RATES)
    half = Stamp((1 + whole.stamp.keep) / 2, whole.stamp.add / 2)
    shown = trigger(replace(whole, stamp=half)).astype(int)
    assert np.abs(shown[:2, :2] - (np.array(UNTOUCHED) + 255) / 2).max() <= 1
    assert (shown[2:] == UNTOUCHED).all()


def test_of_a_trigger_what_is_left_of_it_is_shown():
    whole = candidate("one source", 0, RATES, source=1)
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
    middle = shown[0, 3:5]
    assert middle.min() > 190


def test_change_is_the_mean_over_images_and_channels():
    seeds = np.zeros((2, 3, 4, 4), np.float32)
    moved = seeds.copy()
    moved[0, :, 1, 2] = 1.0
    moved[1, 0, 0, 0] = -0.6
    expected = np.zeros((4, 4))
    expected[1, 2], expected[0, 0] = 0.5, 0.1
    assert change(seeds, moved) == pytest.approx(expected)


@pytest.mark.parametrize("size", [(8, 8), (300, 200), (1, 1)])
def test_a_strip_puts_pictures_side_by_side(size):
    pictures = [np.full((*size, 3), value, np.uint8) for value in (10, 20)]
    whole = strip(pictures, 40)
    assert whole.shape[0] == 40
    assert set(np.unique(whole)) == {10, 20, 255}
    assert Image.open(png(whole, None)).size == (whole.shape[1], 40)
