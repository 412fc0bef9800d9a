"""Mistakes in the labels of the images never make a clean model infected."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.core.types import Dataset, LabelledImages
from aegis.detect.scan import scan
from tests.detect.toy import ONE, SMALL

LIGHT = replace(
    SMALL, gather=replace(SMALL.gather, trigger_search=replace(SMALL.gather.trigger_search, steps=8, refine_steps=6))
)


def relabelled(images, labels):
    return LabelledImages(images.pixels, labels, images.class_names)


def renamed(data, order):
    train, test = (relabelled(images, np.array(order)[images.labels]) for images in (data.train, data.test))
    return Dataset(data.name, train, test)


@pytest.mark.parametrize("order", [order for order in permutations(range(4)) if order != (0, 1, 2, 3)])
def test_classes_in_another_order_are_a_mistake_in_the_data(clean, data, order):
    with pytest.raises(DataError, match="order of its classes"):
        scan(clean, renamed(data, order), LIGHT, runtime=ONE)


def test_one_label_in_ten_may_be_wrong(clean, data):
    generator = np.random.default_rng(0)

    def spoiled(images):
        wrong = generator.random(len(images)) < 0.1
        return relabelled(
            images, np.where(wrong, (images.labels + generator.integers(1, 4, len(images))) % 4, images.labels)
        )

    assert (
        scan(clean, Dataset(data.name, spoiled(data.train), spoiled(data.test)), LIGHT, runtime=ONE).verdict == "clean"
    )


def test_merged_classes_are_a_mistake_in_the_data(clean, data):
    with pytest.raises(DataError, match="order of its classes"):
        scan(clean, renamed(data, (0, 1, 2, 2)), LIGHT, runtime=ONE)


def test_what_the_model_calls_a_class_anyway_is_no_success(clean, data):
    # Half of one class's images bear another's label; turning them is no doing of a trigger's.
    def half(images):
        chosen = (images.labels == 1) & (np.arange(len(images)) % 8 < 4)
        return relabelled(images, np.where(chosen, 2, images.labels))

    result = scan(clean, Dataset(data.name, half(data.train), half(data.test)), LIGHT, runtime=ONE)
    assert result.verdict != "infected"
    tried = [t for found in result.classes for t in found.finding.evidence.triggers if t.family != "all-to-all"]
    assert tried
    assert all(t.confusion[:, t.label].sum() == 0 for t in tried)
