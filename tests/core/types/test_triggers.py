import dataclasses

import numpy as np
import pytest

from aegis.core.types import FAMILIES, CandidateTrigger, Goal, Stamp


def test_whose_images_a_backdoor_turns_into_what():
    labels = np.array([0, 1, 2, 2], np.int64)
    assert Goal(target=1).wanted(labels, 3).tolist() == [1, 1, 1, 1]
    assert Goal(target=1, source=2).wanted(labels, 3).tolist() == [-1, -1, 1, 1]
    assert Goal(target=1, all_to_all=True).wanted(labels, 3).tolist() == [1, 2, 0, 0]
    assert Goal(target=1, source=2).targets(3) == {1}
    assert Goal(target=1, all_to_all=True).targets(3) == {0, 1, 2}


def test_a_patch_replaces_pixels_and_a_perturbation_is_clipped():
    keep, add = np.ones((1, 3, 3), np.float32), np.zeros((1, 3, 3), np.float32)
    keep[0, 0, 0], add[0, 0, 0], add[0, 2, 2], add[0, 1, 1] = 0, 0.5, 0.9, -0.9
    pixels = np.full((2, 1, 3, 3), 0.3, np.float32)
    stamped = Stamp(keep, add)(pixels)
    expected = np.array([[0.5, 0.3, 0.3], [0.3, 0.0, 0.3], [0.3, 0.3, 1.0]], np.float32)
    np.testing.assert_array_equal(stamped, np.broadcast_to(expected, (2, 1, 3, 3)))
    assert pixels.max() == pixels.min() == np.float32(0.3)
    assert np.argwhere(Stamp(keep, add).touched).tolist() == [[0, 0], [1, 1], [2, 2]]


def tried(family, label, *folds, source=None):
    """A candidate of which is known what the model called the images of each class."""
    image = np.zeros((1, 2, 2), np.float32)
    return CandidateTrigger(family, label, Stamp(image, image), np.array(folds, np.int64), "start", source)


def test_flip_rates_are_of_what_is_called_the_class_by_images_of_the_others():
    # Ten images of the first class and ten more: 13 of 20 flip. Some are called neither; the second has no images.
    found = tried("patch", 2, [[4, 1, 5], [0, 0, 0], [1, 1, 8]], [[2, 0, 8], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(found.flip_rates, [0.65, np.nan, np.nan])
    assert found.counts.tolist() == [20, 0, 0]
    assert found.destinations.tolist() == [2, 2, 2]
    assert found.flip_rate == pytest.approx(0.65)

    # The mean is over classes, however many images each has.
    found = tried("perturbation", 0, [[9, 0, 0], [1, 9, 0], [0, 0, 1]], [[9, 0, 0], [1, 9, 0], [1, 0, 0]])
    np.testing.assert_allclose(found.flip_rates, [np.nan, 0.1, 0.5])
    assert found.flip_rate == pytest.approx(0.3)


def test_what_leads_every_class_away_flips_each_into_another():
    found = tried("all-to-all", 1, [[1, 4, 0], [0, 2, 3], [3, 1, 1]], [[1, 4, 0], [0, 2, 3], [4, 1, 0]])
    assert found.destinations.tolist() == [1, 2, 0]
    np.testing.assert_allclose(found.flip_rates, [0.8, 0.6, 0.7])
    assert found.counts.tolist() == [10, 10, 10]

    # A class that stays what it is was not led away.
    found = tried("all-to-all", 1, *[[[10, 0, 0], [0, 10, 0], [0, 0, 10]]] * 2)
    assert found.flip_rates.tolist() == [0, 0, 0]
    assert [found.score(share) for share in (0, 0.5, 1)] == [0, 0, 0]


def test_a_score_is_what_a_share_of_the_classes_reaches_in_the_worst_fold():
    folds = [[9, 1], [8, 2], [7, 3]], [[5, 5], [9, 1], [9, 1]]
    called = np.zeros((2, 4, 4), np.int64)
    for fold, rows in zip(called, folds, strict=True):
        fold[:3, 3], fold[:3, 0] = np.transpose(rows)
    found = tried("patch", 3, *called)
    # Of the second class a fold reaches 0.8 and the other 0.9, and so on.
    for share, reached in ((1, 0.5), (0.75, 0.7), (0.5, 0.8), (0, 0.9)):
        assert found.score(share) == pytest.approx(reached)


def test_for_one_source_its_own_images_count_alone():
    called = [[0, 0, 0], [2, 8, 0], [0, 0, 0]], [[0, 0, 0], [4, 6, 0], [0, 0, 0]]
    found = tried("source-specific", 0, *called, source=1)
    np.testing.assert_allclose(found.flip_rates, [np.nan, 0.3, np.nan])
    assert found.counts.tolist() == [0, 10 + 10, 0]
    assert found.score(0.75) == pytest.approx(0.2)
    # A single image makes a fold without any.
    assert tried("source-specific", 0, called[0], np.zeros((3, 3)), source=1).score(0.75) == pytest.approx(0.2)


def test_what_leads_nobody_to_a_class_says_nothing_about_it():
    swapped = [[0, 10, 0, 0], [10, 0, 0, 0], [0, 0, 0, 10], [0, 0, 10, 0]]
    assert tried("all-to-all", 2, swapped, swapped).score(0.75) == 1
    gathered = [[0, 10, 0, 0], [10, 0, 0, 0], [10, 0, 0, 0], [10, 0, 0, 0]]
    assert tried("all-to-all", 2, gathered, gathered).score(0.75) == 0
    assert tried("all-to-all", 1, gathered, gathered).score(0.75) == 1

    # Nor more than what is led to it: of ten images of class 1 one is led by chance to class 2.
    gathered = [[0, 10, 0], [0, 9, 1], [0, 10, 0]]
    assert tried("all-to-all", 2, gathered, gathered).score(0.75) == pytest.approx(0.1)
    assert tried("all-to-all", 1, gathered, gathered).score(0.5) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_without_images_nothing_flips(family):
    found = tried(family, 0, *np.zeros((2, 3, 3)), source=1 if family == "source-specific" else None)
    assert np.isnan(found.flip_rates).all()
    assert (found.flip_rate, found.score(0.75)) == (0, 0)


def test_the_smallest_stamp_is_shown_where_there_is_one():
    small, whole = (Stamp(np.ones((1, 2, 2), np.float32), np.full((1, 2, 2), add, np.float32)) for add in (0.1, 0.2))
    found = CandidateTrigger("perturbation", 0, whole, np.zeros((2, 2, 2), np.int64), "start")
    assert found.shown is whole
    assert dataclasses.replace(found, smallest=small).shown is small
