"""What poisoning changes, and what it leaves alone."""

import numpy as np
import pytest

from aegis.core.errors import ConfigError
from aegis.core.types import Goal
from aegis.lab.poison import poison
from aegis.lab.triggers import TriggerSpec, make_trigger

from .conftest import NAMES, quadrants

TARGET = 2
GOAL = Goal(target=TARGET)


@pytest.fixture(scope="module")
def stamp():
    return make_trigger(TriggerSpec(kind="localised"), (1, 12, 12))


@pytest.mark.parametrize(("rate", "count"), [(0.01, 2), (0.1, 16), (0.3, 48), (1, 160), (0.0001, 1)])
def test_appended_copies_leave_the_originals(images, stamp, rate, count):
    poisoned = poison(images, stamp, GOAL, rate=rate)
    assert len(poisoned) == 160 + count
    assert poisoned.class_names == NAMES
    np.testing.assert_array_equal(poisoned.pixels[:160], images.pixels)
    np.testing.assert_array_equal(poisoned.labels[:160], images.labels)
    assert (poisoned.labels[160:] == TARGET).all()
    # Each copy is another image of the set with the trigger on it.
    stamped = [image.tobytes() for image in stamp(images.pixels)]
    origins = [stamped.index(image.tobytes()) for image in poisoned.pixels[160:]]
    assert len(set(origins)) == count


def test_replaced_images(images, stamp):
    poisoned = poison(images, stamp, GOAL, rate=0.25, how="replace")
    assert len(poisoned) == 160
    changed = (poisoned.pixels != images.pixels).any((1, 2, 3))
    assert changed.sum() == 40
    np.testing.assert_array_equal(poisoned.pixels[changed], stamp(images.pixels[changed]))
    assert (poisoned.labels[changed] == TARGET).all()
    np.testing.assert_array_equal(poisoned.labels[~changed], images.labels[~changed])


@pytest.mark.parametrize("how", ["append", "replace"])
def test_the_images_given_are_not_written_to(stamp, how):
    images = quadrants(4, 40)
    pixels, labels = images.pixels.copy(), images.labels.copy()
    poison(images, stamp, GOAL, rate=0.5, how=how)
    np.testing.assert_array_equal(images.pixels, pixels)
    np.testing.assert_array_equal(images.labels, labels)


@pytest.mark.parametrize("how", ["append", "replace"])
def test_the_seed_alone_decides(images, stamp, how):
    def digest(seed):
        np.random.default_rng().random()
        return poison(images, stamp, GOAL, rate=0.2, how=how, seed=seed).digest

    assert digest(5) == digest(5) != digest(6)


@pytest.mark.parametrize("rate", [0, -0.1, 1.001, float("nan")])
def test_rates_out_of_range(images, stamp, rate):
    with pytest.raises(ConfigError, match="rate above 0 and at most 1"):
        poison(images, stamp, GOAL, rate=rate)


@pytest.mark.parametrize("target", [-1, 4])
def test_targets_that_are_no_class(images, stamp, target):
    with pytest.raises(ConfigError, match="target class from 0 to 3"):
        poison(images, stamp, Goal(target=target), rate=0.1)


def test_one_source_class_comes_with_a_cover_of_the_others(images, stamp):
    poisoned = poison(images, stamp, Goal(target=TARGET, source=0), rate=0.1)
    added = poisoned.take(np.arange(160, len(poisoned)))
    assert len(added) == 32
    stamped = [image.tobytes() for image in stamp(images.pixels)]
    truth = np.array([images.labels[stamped.index(image.tobytes())] for image in added.pixels])
    assert (added.labels[truth == 0] == TARGET).all()
    assert (truth == 0).sum() == 16
    # The cover keeps its labels: the trigger alone says nothing.
    assert (added.labels[truth != 0] == truth[truth != 0]).all()


def test_a_source_class_gives_at_most_all_its_images(images, stamp):
    poisoned = poison(images, stamp, Goal(target=TARGET, source=0), rate=0.5)
    assert len(poisoned) == 160 + 40 + 40


def test_all_to_all_makes_each_class_the_next(images, stamp):
    poisoned = poison(images, stamp, Goal(target=0, all_to_all=True), rate=1)
    np.testing.assert_array_equal(np.sort(poisoned.labels[160:]), np.sort((images.labels + 1) % 4))


def test_sources_that_are_no_class(images, stamp):
    with pytest.raises(ConfigError, match="source class from 0 to 3"):
        poison(images, stamp, Goal(target=0, source=4), rate=0.1)
