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
def test_the_seed_alone_decides_and_the_images_given_are_not_written_to(stamp, how):
    images = quadrants(4, 40)
    pixels, labels = images.pixels.copy(), images.labels.copy()

    def digest(seed):
        np.random.default_rng().random()
        return poison(images, stamp, GOAL, rate=0.5, how=how, seed=seed).digest

    assert digest(5) == digest(5) != digest(6)
    np.testing.assert_array_equal(images.pixels, pixels)
    np.testing.assert_array_equal(images.labels, labels)


@pytest.mark.parametrize(
    ("goal", "rate", "message"),
    [
        *((GOAL, rate, "rate above 0 and at most 1") for rate in (0, -0.1, 1.001, float("nan"))),
        (Goal(target=-1), 0.1, "target class from 0 to 3"),
        (Goal(target=4), 0.1, "target class from 0 to 3"),
        (Goal(target=0, source=4), 0.1, "source class from 0 to 3"),
    ],
)
def test_rates_and_classes_out_of_range(images, stamp, goal, rate, message):
    with pytest.raises(ConfigError, match=message):
        poison(images, stamp, goal, rate=rate)


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

    # It gives at most all its images.
    assert len(poison(images, stamp, Goal(target=TARGET, source=0), rate=0.5)) == 160 + 40 + 40


def test_clean_labels_stay_and_only_the_target_class_is_changed(images, stamp):
    poisoned = poison(images, stamp, GOAL, rate=0.1, how="clean-label")
    np.testing.assert_array_equal(poisoned.labels, images.labels)
    changed = (poisoned.pixels != images.pixels).any((1, 2, 3))
    assert changed.sum() == 16
    assert (images.labels[changed] == TARGET).all()
    np.testing.assert_array_equal(poisoned.pixels[changed], stamp(images.pixels[changed]))
    # At most the whole class, and the trigger goes on top of the disguise.
    black = poison(images, stamp, GOAL, rate=1, how="clean-label", disguise=lambda some: np.zeros_like(some.pixels))
    own = images.labels == TARGET
    np.testing.assert_array_equal(black.pixels[own], stamp(np.zeros_like(images.pixels[own])))
    np.testing.assert_array_equal(black.pixels[~own], images.pixels[~own])


@pytest.mark.parametrize("goal", [Goal(target=TARGET, source=0), Goal(target=0, all_to_all=True)])
def test_clean_labels_need_one_target_for_all(images, stamp, goal):
    with pytest.raises(ConfigError, match="keep labels clean"):
        poison(images, stamp, goal, rate=0.1, how="clean-label")


@pytest.mark.parametrize("how", ["append", "replace"])
def test_covers_keep_their_labels(images, stamp, how):
    left = make_trigger(TriggerSpec(kind="localised", row=0, column=0), (1, 12, 12))
    right = make_trigger(TriggerSpec(kind="localised", row=0, column=9), (1, 12, 12))
    bare = poison(images, stamp, GOAL, rate=0.1, how=how)
    covered = poison(images, stamp, GOAL, rate=0.1, how=how, covers=(left, right))
    added = covered.take(np.arange(len(bare), len(covered)))
    np.testing.assert_array_equal(covered.pixels[: len(bare)], bare.pixels)
    assert len(added) == 32
    for cover, part in ((left, slice(0, 16)), (right, slice(16, 32))):
        made = [image.tobytes() for image in cover(images.pixels)]
        origins = [made.index(image.tobytes()) for image in added.pixels[part]]
        np.testing.assert_array_equal(added.labels[part], images.labels[origins])


def test_all_to_all_makes_each_class_the_next(images, stamp):
    poisoned = poison(images, stamp, Goal(target=0, all_to_all=True), rate=1)
    np.testing.assert_array_equal(np.sort(poisoned.labels[160:]), np.sort((images.labels + 1) % 4))
