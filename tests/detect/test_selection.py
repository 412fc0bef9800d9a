"""A search that starts from a selection, on a linear model whose answers are known exactly."""

import numpy as np
import pytest

from aegis.core.runtime import numpy_generator, silent
from aegis.core.types import as_8_bit
from aegis.detect.selection import nearest_training, search_selection
from aegis.records.config import TriggerSearchConfig
from aegis.records.pictures import where_changed
from tests.detect.linear import DIRECTION, images_at, linear_model

MARGIN = 0.3


def search(radius=1.0, area=1 / 16, chosen=(0, 1, 2), report=silent):
    """What is found from images that translation moved a little along the model's direction."""
    images = images_at(MARGIN)
    minus = images.labels == 0
    seeds = images.pixels[minus]
    translated = as_8_bit(seeds + 0.1 * DIRECTION)
    config = TriggerSearchConfig(area=area, radius=radius, held_out=4)
    known = linear_model(), seeds, images.labels[minus], translated, np.array(chosen)
    return search_selection(*known, images, 1, config, numpy_generator(0), report)


@pytest.mark.parametrize(("radius", "flips"), [(MARGIN * 0.9, 0.0), (MARGIN * 1.1, 1.0)])
def test_a_perturbation_flips_exactly_where_its_radius_reaches_over_the_border(radius, flips):
    # However little translation changed, only the radius counts; one image is enough to start from.
    for chosen in ((0, 1, 2), (4,)):
        best = next(one for one in search(radius, chosen=chosen) if one.family == "perturbation")
        assert np.linalg.norm(best.stamp.add) == pytest.approx(radius, rel=1e-4)
        assert best.flip_rate == flips


@pytest.mark.parametrize(("area", "flips"), [(1 / 16, 0.0), (0.75, 1.0)])
def test_a_patch_flips_exactly_where_its_pixels_outweigh_the_rest(area, flips):
    # Each replaced pixel moves by 1 at most, so that one pixel does not reach over the border, and twelve do.
    best = search(area=area)[0]
    assert (best.family, best.flip_rate) == ("patch", flips)
    # Only so many images, of other classes, are tried.
    assert best.counts.tolist() == [4, 0]


def test_a_search_tells_of_every_step_with_the_best_trigger_on_images():
    heard = []
    search(report=heard.append)
    config = TriggerSearchConfig()
    assert heard[-1].step == heard[-1].total == 2 * (config.steps + config.refine_steps)
    assert {event.stage for event in heard} == {"search"}
    seeds = images_at(MARGIN).pixels[::2]
    last = heard[-1].frames
    assert 0 < len(last) <= 6
    # A perturbation of L2 norm 1 is on all of them, as far as pixels can go.
    np.testing.assert_allclose(last, np.broadcast_to(last[:1], last.shape), atol=1e-6)
    assert np.linalg.norm(last[0] - seeds[0]) == pytest.approx(1.0, abs=0.05)


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
