"""Labels that are mistaken are told from weaknesses of the model."""

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.detect.labels import check_labels

NAMES = ("ant", "bee", "cat", "dog", "elk")


def confusion(predicted, right=90, of=100):
    """A model that takes so many of each class's images for one class, and spreads the rest."""
    counts = np.zeros((5, 5), np.int64)
    for label, said in enumerate(predicted):
        counts[label] = (of - right) // 5
        counts[label, said] += of - counts[label].sum()
    return counts


@pytest.mark.parametrize(
    ("predicted", "named"),
    [
        ((0, 2, 1, 3, 4), "92% of those of class 1 (bee) are predicted as class 2 (cat)"),
        ((1, 2, 3, 4, 0), "class 0 (ant) are predicted as class 1 (bee)"),
        ((1, 2, 3, 4, 0), "and 1 classes more like this"),
        ((4, 1, 2, 3, 0), "class 4 (elk) are predicted as class 0 (ant)"),
    ],
)
def test_exchanged_and_shifted_classes_are_refused_by_name(predicted, named):
    with pytest.raises(DataError, match="order of its classes") as refused:
        check_labels(confusion(predicted, right=89), NAMES)
    assert named in str(refused.value)


def test_a_class_whose_images_bear_anothers_label_is_refused():
    merged = confusion(range(5))
    merged[3] += merged[4]
    merged[4] = 0
    with pytest.raises(DataError, match=r"of class 3 \(dog\) are predicted as class 4 \(elk\)"):
        check_labels(merged, NAMES)


@pytest.mark.parametrize("right", [100, 60, 30])
def test_a_weak_model_is_no_mistake_of_labels(right):
    check_labels(confusion(range(5), right=right), NAMES)


def test_a_class_taken_for_another_that_is_known_is_no_exchange():
    weak = confusion(range(5))
    weak[2] = [0, 0, 20, 80, 0]
    check_labels(weak, NAMES)


def test_a_class_without_images_is_no_mistake():
    missing = confusion(range(5))
    missing[4] = 0
    check_labels(missing, NAMES)
