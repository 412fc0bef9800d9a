"""Clusters of activations whose sizes are known."""

import numpy as np
import pytest

from aegis.baselines.activation_clustering import find_poison
from aegis.baselines.config import ActivationClusteringConfig
from aegis.core.errors import ConfigError, DataError
from aegis.core.runtime import numpy_generator
from aegis.core.types import LabelledImages

from .planted import NAMES, PER_CLASS, TARGET, classifier, training


def found(images, **settings):
    return find_poison(classifier(), images, ActivationClusteringConfig(**settings), generator=numpy_generator(0))


@pytest.mark.parametrize(("poisoned", "reduction"), [(20, "ica"), (100, "ica"), (20, "pca")])
def test_a_small_cluster_apart_is_flagged_whole_and_alone(poisoned, reduction):
    images, is_poisoned = training(poisoned)
    result = found(images, reduction=reduction)
    np.testing.assert_array_equal(result.flagged, is_poisoned)
    assert tuple(result.sizes[TARGET]) == (PER_CLASS, poisoned)
    # Clouds of clean classes are cut in the middle, where there is no gap.
    assert result.statistics.argmax() == TARGET
    others = np.delete(result.sizes, TARGET, axis=0)
    assert (others.sum(1) == PER_CLASS).all()
    assert (others[:, 1] > 0.4 * PER_CLASS).all()
    own = images.labels == TARGET
    assert result.scores[is_poisoned].min() > 0.2 > -0.2 > result.scores[own & ~is_poisoned].max()


def test_nothing_is_flagged_of_clean_images():
    result = found(training(0)[0])
    assert not result.flagged.any()
    assert (result.sizes.min(1) > 0.4 * PER_CLASS).all()


def test_poison_that_is_no_small_part_of_its_class_is_not_flagged():
    images, is_poisoned = training(int(0.6 * PER_CLASS))
    assert not found(images).flagged.any()
    np.testing.assert_array_equal(found(images, smaller=0.4).flagged, is_poisoned)


def test_independent_components_lose_the_scale_that_principal_ones_keep():
    generator = numpy_generator(0)
    pixels = generator.normal(0.5, 0.001, (400, 25))
    # The class varies much in one direction, without a gap, and little in another, where a tenth lies apart.
    pixels[:, 0] = generator.normal(0.5, 0.1, 400).clip(0, 1)
    pixels[::10, 1] += 0.02
    images = LabelledImages(pixels.reshape(-1, 1, 5, 5).astype(np.float32), np.full(400, TARGET), NAMES)
    assert found(images, reduction="ica", dimensions=2).sizes[TARGET].tolist() == [360, 40]
    assert found(images, reduction="pca", dimensions=2).sizes[TARGET].min() > 160


def test_equal_seeds_give_equal_results():
    images, _ = training(20)
    one, again = found(images), found(images)
    np.testing.assert_array_equal(one.scores, again.scores)


def test_classes_without_images_or_without_differences_have_no_poison():
    images, _ = training(0)
    pixels = images.pixels.copy()
    pixels[images.labels == 0] = 0.5
    kept = images.labels != 2
    result = found(LabelledImages(pixels[kept], images.labels[kept], NAMES))
    assert not result.flagged.any()
    assert [tuple(sizes) for sizes in result.sizes[[0, 2]]] == [(PER_CLASS, 0), (0, 0)]
    np.testing.assert_array_equal(np.isnan(result.statistics), [True, False, True])


def test_fewer_images_than_dimensions_are_refused():
    images, _ = training(0)
    few = images.take(np.concatenate([np.flatnonzero(images.labels != 1), np.flatnonzero(images.labels == 1)[:9]]))
    with pytest.raises(DataError, match="at least 10 images of each class for activation clustering; got 9 of class b"):
        found(few)


@pytest.mark.parametrize("wrong", [{"smaller": 1.0}, {"smaller": 0.0}, {"dimensions": 0}, {"starts": -1}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        ActivationClusteringConfig(**wrong)
