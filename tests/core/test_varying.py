"""Triggers that differ from image to image, on pictures small enough to work out by hand."""

import numpy as np
import pytest

from aegis.core.runtime import numpy_generator
from aegis.core.types import Stamp
from aegis.core.varying import RoamingStamp, WarpStamp, smooth_flow

SHAPE = (2, 6, 7)
SAME = np.ones(SHAPE, np.float32), np.zeros(SHAPE, np.float32)


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(1).random((60, *SHAPE), dtype=np.float32)


def warp(down, right):
    flow = np.zeros((2, *SHAPE[1:]), np.float32)
    flow[0], flow[1] = down, right
    return WarpStamp(*SAME, flow)


def test_a_warp_without_a_flow_changes_nothing(pixels):
    stamp = warp(0, 0)
    np.testing.assert_allclose(stamp(pixels), pixels, atol=1e-6)
    assert not stamp.touched.any()


def test_a_flow_names_the_pixel_that_is_seen_and_the_edge_repeats(pixels):
    stamp = warp(1, -2)
    rows, columns = np.minimum(np.arange(6) + 1, 5), np.maximum(np.arange(7) - 2, 0)
    np.testing.assert_allclose(stamp(pixels), pixels[:, :, rows[:, None], columns], atol=1e-5)
    assert stamp.touched.all()


def test_half_a_pixel_is_the_mean_of_two(pixels):
    moved = warp(0, 0.5)(pixels)
    np.testing.assert_allclose(moved[..., :-1], (pixels[..., 1:] + pixels[..., :-1]) / 2, atol=1e-5)


def test_a_warp_stamps_what_it_has_moved(pixels):
    flow = warp(1, 0).flow
    dimmed = WarpStamp(SAME[0] / 2, SAME[1] + np.float32(0.25), flow)
    np.testing.assert_allclose(dimmed(pixels), WarpStamp(*SAME, flow)(pixels) / 2 + 0.25, atol=1e-6)


def test_a_smooth_flow_has_the_shifts_that_were_drawn():
    flow = smooth_flow(9, 13, 3, 2.0, numpy_generator(5))
    assert flow.shape == (2, 9, 13)
    # Corners and middles of the sides are the drawn ones, of the mean size asked for; the rest lies smoothly between.
    drawn = flow[:, [0, 4, 8]][:, :, [0, 6, 12]]
    assert np.abs(drawn).mean() == pytest.approx(2, abs=1e-3)
    assert max(np.abs(np.diff(flow, axis=axis)).max() for axis in (1, 2)) < 0.6 * np.ptp(drawn)
    np.testing.assert_array_equal(flow, smooth_flow(9, 13, 3, 2.0, numpy_generator(5)))


def test_a_roaming_square_lies_somewhere_whole_on_every_image(pixels):
    keep, add = SAME[0].copy(), SAME[1].copy()
    keep[:, 1:3, 4:6], add[:, 1:3, 4:6] = 0, 1
    stamp = RoamingStamp(keep, add)
    stamped, seen = stamp(pixels), set()
    for before, after in zip(pixels, stamped, strict=True):
        rows, columns = np.nonzero((after != before).all(axis=0))
        assert (np.ptp(rows), np.ptp(columns), len(rows)) == (1, 1, 4)
        assert (after[:, rows, columns] == 1).all()
        assert (after == before).sum() == before.size - 8
        seen.add((rows[0], columns[0]))
    # Thirty places, and sixty images.
    assert len(seen) > 15
    assert (max(row for row, _ in seen), max(column for _, column in seen)) == (4, 5)
    # The place is the image's own, whatever the others are.
    np.testing.assert_array_equal(stamp(pixels[::-1])[::-1], stamped)
    assert isinstance(stamp, Stamp)
