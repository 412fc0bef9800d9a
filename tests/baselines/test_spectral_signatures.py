"""Projections on the direction in which poison lies, whose values are known."""

import numpy as np
import pytest

from aegis.baselines.config import SpectralSignaturesConfig
from aegis.baselines.spectral_signatures import find_poison
from aegis.core.errors import ConfigError
from aegis.core.runtime import numpy_generator
from aegis.core.types import LabelledImages

from .planted import NAMES, PER_CLASS, SHAPE, TARGET, classifier, training


def found(images, **settings):
    return find_poison(classifier(), images, SpectralSignaturesConfig(**settings), generator=numpy_generator(0))


def test_poison_within_the_bound_is_flagged_whole_and_alone_in_its_class():
    poisoned = PER_CLASS // 9
    images, is_poisoned = training(poisoned)
    own = images.labels == TARGET
    result = found(images, epsilon=poisoned / own.sum() / 1.5)
    np.testing.assert_array_equal(result.flagged[own], is_poisoned[own])
    assert result.scores[is_poisoned].min() > 2 * result.scores[own & ~is_poisoned].max()
    assert result.statistics.argmax() == TARGET
    assert result.sizes is None


def test_every_class_has_the_same_share_flagged():
    images, _ = training(0)
    result = found(images)
    assert np.bincount(images.labels[result.flagged]).tolist() == [round(1.5 * 0.05 * PER_CLASS)] * len(NAMES)


def test_scores_and_shares_are_those_of_a_class_that_varies_in_two_directions():
    pixels = np.full((8, 25), 0.5, np.float32)
    pixels[:4, 0] += [0.3, -0.3, 0, 0]
    pixels[:4, 1] += [0, 0, 0.1, -0.1]
    labels = np.repeat([0, 2], 4)
    result = found(LabelledImages(pixels.reshape(-1, *SHAPE), labels, NAMES), epsilon=0.3)
    assert result.scores == pytest.approx([0.09, 0.09, 0, 0, 0, 0, 0, 0], abs=1e-6)
    assert result.statistics == pytest.approx([0.9, np.nan, 0], abs=1e-6, nan_ok=True)
    # Of the class that does not vary the first images are taken.
    assert np.flatnonzero(result.flagged).tolist() == [0, 1, 4, 5]


def test_no_more_images_are_flagged_than_there_are():
    images, _ = training(0)
    assert found(images, epsilon=0.9).flagged.all()


@pytest.mark.parametrize("wrong", [{"epsilon": 1.0}, {"epsilon": 0.0}, {"excess": -1.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        SpectralSignaturesConfig(**wrong)
