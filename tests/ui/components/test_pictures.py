"""Pictures: every pixel is where it should be."""

import io

import numpy as np
import pytest
from PIL import Image

from aegis.ui.components.palette import palette, rgb
from aegis.ui.components.pictures import GAP, differences, enlarge, grow, heat, montage, png, scale_of

LIGHT = palette("light")


def numbered(count, side=4):
    """Pictures of one value each."""
    values = np.arange(1, count + 1, dtype=np.uint8) * 10
    return np.broadcast_to(values[:, None, None, None], (count, side, side, 3)).copy()


def test_a_montage_reads_from_left_to_right_and_top_to_bottom():
    sheet = montage(numbered(5), LIGHT, columns=3)
    side = enlarge(numbered(1)[0]).shape[0]
    assert sheet.shape == (2 * side + GAP, 3 * side + 2 * GAP, 3)
    step = side + GAP
    corners = [[sheet[row * step, column * step, 0] for column in range(3)] for row in range(2)]
    assert corners == [[10, 20, 30], [40, 50, rgb(LIGHT.background)[0]]]
    assert (sheet[:, side] == rgb(LIGHT.background)).all()


@pytest.mark.parametrize(("side", "shown"), [(8, 64), (28, 56), (32, 64), (96, 96), (224, 64)])
def test_small_pictures_grow_by_whole_pixels_and_large_ones_shrink(side, shown):
    picture = np.zeros((side, side, 3), np.uint8)
    assert enlarge(picture).shape == montage(picture[None], LIGHT, columns=1).shape == (shown, shown, 3)
    # What only grows never shrinks.
    assert grow(picture, 64).shape == ((224,) * 2 if side == 224 else (shown,) * 2) + (3,)


def test_enlarging_changes_no_value():
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(enlarge(picture)[::8, ::8], picture)


def test_differences_are_the_background_at_nothing_and_full_colours_at_both_ends():
    changes = np.array([0.0, 0.5, -0.5, -2.0], np.float32).reshape(1, 1, 2, 2)
    shown = differences(changes, 0.5, LIGHT)[0].reshape(4, 3).tolist()
    assert shown == [list(rgb(c)) for c in (LIGHT.background, LIGHT.more, LIGHT.less, LIGHT.less)]
    half = differences(np.full((1, 1, 1, 1), 0.25, np.float32), 0.5, LIGHT)[0, 0, 0]
    expected = (np.array(rgb(LIGHT.background)) + rgb(LIGHT.more)) / 2
    assert np.abs(half - expected).max() <= 1


def test_the_scale_reaches_nearly_all_changes_and_is_never_nothing():
    changes = np.zeros((1, 1, 10, 100), np.float32)
    changes[0, 0, 0] = -0.4
    assert scale_of(changes) == pytest.approx(0.4)
    assert scale_of(np.zeros((1, 1, 2, 2), np.float32)) > 0
    assert scale_of(np.zeros((0, 1, 2, 2), np.float32)) > 0


def test_heat_is_hottest_where_most_changed():
    where = np.array([[0, 0.1], [0.2, 0.05]], np.float32)
    picture = heat(where, LIGHT)
    assert picture[0, 0].tolist() == list(rgb(LIGHT.background))
    assert picture[1, 0].tolist() == list(rgb(LIGHT.more))
    assert heat(np.zeros((2, 2), np.float32), LIGHT)[0, 0].tolist() == list(rgb(LIGHT.background))


def test_a_png_reads_back():
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(picture)))), picture)
