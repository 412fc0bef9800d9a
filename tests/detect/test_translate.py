"""Seeds from every other class, and translation within its budget, on a linear model whose margin is known."""

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.core.runtime import Cancelled, silent
from aegis.core.types import LabelledImages, Stage, as_pixels
from aegis.detect.translate import draw_seeds, translate
from aegis.metrics import predict
from tests.detect.linear import images_at, linear_model

STAGES = (Stage(epsilon=1.0, step=0.3, iterations=8), Stage(epsilon=2.0, step=0.3, iterations=8))


def labelled(counts: tuple[int, ...]) -> LabelledImages:
    labels = np.repeat(np.arange(len(counts)), counts)
    return LabelledImages(np.zeros((len(labels), 1, 2, 2), np.float32), labels, tuple("abcd")[: len(counts)])


@pytest.mark.parametrize("label", range(4))
def test_seeds_are_balanced_and_not_of_the_class(label):
    images = labelled((30, 40, 50, 60))
    chosen = draw_seeds(images, label, 31, np.random.default_rng(0))
    drawn = np.bincount(images.labels[chosen], minlength=4)
    assert len(set(chosen.tolist())) == 31
    assert drawn[label] == 0
    assert sorted(np.delete(drawn, label)) == [10, 10, 11]


def test_a_small_class_gives_all_it_has():
    chosen = draw_seeds(labelled((50, 3, 50, 0)), 0, 20, np.random.default_rng(0))
    assert np.bincount(labelled((50, 3, 50, 0)).labels[chosen], minlength=4).tolist() == [0, 3, 17, 0]
    assert len(draw_seeds(labelled((50, 3, 5, 0)), 0, 20, np.random.default_rng(0))) == 8
    with pytest.raises(DataError, match="other classes"):
        draw_seeds(labelled((10, 0)), 0, 10, np.random.default_rng(0))


@pytest.mark.parametrize(("classes", "count"), [(43, 250), (101, 250), (1000, 250)])
def test_seeds_are_even_over_many_classes_whatever_their_labels(classes, count):
    labels = np.repeat(np.arange(classes), 6)
    images = LabelledImages(np.zeros((len(labels), 1, 1, 1), np.float32), labels, tuple(map(str, range(classes))))
    chosen = draw_seeds(images, 7, count, np.random.default_rng(0))
    drawn = np.delete(np.bincount(images.labels[chosen], minlength=classes), 7)
    assert (len(set(chosen.tolist())), drawn.sum()) == (count, count)
    assert drawn.max() - drawn.min() == 1
    # Those that have one more than others lie anywhere.
    more = np.flatnonzero(drawn == drawn.max())
    assert abs(more.mean() / classes - 0.5) < 0.15
    assert (chosen == draw_seeds(images, 7, count, np.random.default_rng(0))).all()


def test_seeds_of_some_classes_alone():
    images = labelled((30, 40, 50, 60))
    chosen = draw_seeds(images, 0, 20, np.random.default_rng(0), only=(0, 2, 3))
    assert np.bincount(images.labels[chosen], minlength=4).tolist() == [0, 0, 10, 10]


def test_seeds_are_in_random_order_and_follow_from_the_generator():
    images = labelled((40, 40, 40, 40))
    first, again, other = (draw_seeds(images, 0, 30, np.random.default_rng(s)).tolist() for s in (0, 0, 1))
    assert first == again
    assert first != other
    assert first != sorted(first)


def test_images_reach_the_class_once_the_budget_allows_and_keep_within_it():
    images = images_at(1.5)
    seeds = images.pixels[images.labels == 0]
    model = linear_model()
    translated = translate(model, seeds, 1, STAGES, silent)
    assert translated.shape == (2, *seeds.shape)
    shares = [float((predict(model, as_pixels(moved)) == 1).mean()) for moved in translated]
    assert shares == [0, 1]
    for moved, stage in zip(translated, STAGES, strict=True):
        distance = np.linalg.norm((as_pixels(moved) - seeds).reshape(len(seeds), -1), axis=1)
        rounding = 0.5 / 255 * np.sqrt(seeds[0].size)
        assert distance.max() <= stage.epsilon + rounding + 1e-6
        assert distance.min() > 0.9 * stage.epsilon


def test_a_report_is_told_and_can_cancel():
    seeds, events = images_at(1.5).pixels, []

    def cancel(event):
        events.append(event)
        raise Cancelled

    with pytest.raises(Cancelled):
        translate(linear_model(), seeds, 1, STAGES, cancel)
    (event,) = events
    assert (event.stage, event.label, event.step, event.total) == ("translate", 1, 1, 16)
    assert event.frames.shape == (8, 1, 4, 4)
