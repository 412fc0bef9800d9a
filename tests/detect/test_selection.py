"""A selection's mean change as a trigger, on a linear model whose answers are known exactly."""

import numpy as np
import pytest

from aegis.core.runtime import numpy_generator
from aegis.detect.selection import as_patch, as_perturbation, nearest_training, try_selection
from aegis.records.config import TriggerSearchConfig
from aegis.records.pictures import where_changed
from tests.detect.linear import DIRECTION, images_at, linear_model

MARGIN = 0.3


def rates(share_of_direction, radius, area=1 / 16):
    """Flip rates where every translated image moved that far along the model's direction."""
    images = images_at(MARGIN)
    seeds = images.pixels[images.labels == 0]
    translated = (seeds + share_of_direction * DIRECTION).astype(np.float32)
    config = TriggerSearchConfig(area=area, radius=radius, held_out=4)
    return try_selection(linear_model(), seeds, translated, images, 1, config, numpy_generator(0))


@pytest.mark.parametrize(("radius", "flips"), [(MARGIN * 0.9, 0.0), (MARGIN * 1.1, 1.0)])
def test_a_perturbation_flips_exactly_where_its_radius_reaches_over_the_border(radius, flips):
    # However far translation went, only the radius counts.
    for went in (0.01, 1.0):
        _, perturbation = rates(went, radius)
        assert perturbation.family == "perturbation"
        assert np.linalg.norm(perturbation.stamp.add) == pytest.approx(radius, rel=1e-5)
        assert perturbation.flip_rate == flips


@pytest.mark.parametrize(("area", "flips"), [(1 / 16, 0.0), (0.75, 1.0)])
def test_a_patch_flips_exactly_where_its_pixels_outweigh_the_rest(area, flips):
    # Each replaced pixel goes from -MARGIN to +MARGIN along the direction, so more than half of them are needed.
    patch, _ = rates(2 * MARGIN, 1.0, area)
    assert patch.family == "patch"
    assert patch.stamp.touched.sum() == round(area * 16)
    assert patch.flip_rate == flips

    # Only so many images, of other classes, are tried.
    assert patch.counts.tolist() == [4, 0]
    assert np.isnan(patch.flip_rates[1])


def test_a_patch_takes_the_pixels_that_changed_most_from_the_image():
    change = np.zeros((3, 4, 4), np.float32)
    change[0, 1, 2], change[2, 3, 0], change[1, 0, 0] = -0.9, 0.5, 0.1
    image = np.random.default_rng(0).random((3, 4, 4), np.float32)
    stamp = as_patch(change, image, 2 / 16)
    assert np.argwhere(stamp.touched).tolist() == [[1, 2], [3, 0]]
    stamped = stamp(np.full((1, 3, 4, 4), 0.5, np.float32))[0]
    np.testing.assert_array_equal(stamped[:, 1, 2], image[:, 1, 2])
    assert (stamped[:, 0] == 0.5).all()

    # What did not change makes no perturbation.
    assert not as_perturbation(np.zeros((1, 2, 2), np.float32), 3.0).touched.any()


def test_where_it_changed_is_the_mean_over_images_and_channels_and_does_not_cancel_out():
    seeds = np.full((2, 1, 2, 2), 0.5, np.float32)
    translated = seeds.copy()
    translated[0, 0, 0, 1], translated[1, 0, 0, 1] = 1.0, 0.0
    np.testing.assert_allclose(where_changed(seeds, translated), [[0, 0.5], [0, 0]])

    seeds = np.zeros((2, 3, 4, 4), np.float32)
    moved = seeds.copy()
    moved[0, :, 1, 2], moved[1, 0, 0, 0] = 1.0, -0.6
    expected = np.zeros((4, 4))
    expected[1, 2], expected[0, 0] = 0.5, 0.1
    assert where_changed(seeds, moved) == pytest.approx(expected)


def test_the_nearest_training_images_come_nearest_first():
    features = np.array([[0, 0], [5, 5], [1, 1], [9, 9], [4, 4], [6, 6]], np.float32)
    chosen = np.array([False] * 4 + [True, True])
    assert nearest_training(features, chosen, 4, 3).tolist() == [1, 2, 3]
    assert nearest_training(features, chosen, 4, 9).tolist() == [1, 2, 3, 0]
