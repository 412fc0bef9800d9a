import dataclasses

import numpy as np
import pytest

from aegis.errors import ConfigError, DataError
from aegis.types import (
    FAMILIES,
    Applicability,
    Clusters,
    Dataset,
    Evidence,
    Goal,
    LabelledImages,
    Stage,
    Stamp,
    Transplant,
    digest_of,
)

NAMES = ("cat", "dog")


def images(n=4, shape=(1, 3, 3), seed=0, names=NAMES):
    pixels = np.random.default_rng(seed).random((n, *shape), dtype=np.float32)
    return LabelledImages(pixels, np.arange(n) % len(names), names)


@pytest.mark.parametrize("value", [-0.01, 1.01, np.nan, np.inf])
def test_pixels_outside_their_range_are_refused(value):
    pixels = images().pixels
    pixels[1, 0, 2, 2] = value
    with pytest.raises(DataError, match="pixels between 0 and 1"):
        LabelledImages(pixels, np.zeros(4, np.int64), NAMES)


@pytest.mark.parametrize("label", [-1, 2])
def test_labels_without_a_name_are_refused(label):
    with pytest.raises(DataError, match="labels from 0 to 1"):
        LabelledImages(images().pixels, np.array([0, 1, label, 0]), NAMES)


def test_as_many_labels_as_images_are_asked_for():
    # In another shape the checker of annotations would object first, so the method is called on its own.
    wrong = object.__new__(LabelledImages)
    for name, value in (("pixels", images().pixels), ("labels", np.zeros(3, np.int64)), ("class_names", NAMES)):
        object.__setattr__(wrong, name, value)
    with pytest.raises(DataError, match="one label for each of the 4 images"):
        wrong.__post_init__()
    object.__setattr__(wrong, "pixels", np.zeros((4, 3, 3), np.float64))
    with pytest.raises(DataError, match=r"float32 images of shape \(n, c, h, w\); got float64 of shape \(4, 3, 3\)"):
        wrong.__post_init__()


def test_images_are_taken_by_position_and_by_mask():
    some = images()
    by_position, by_mask = some.take(np.array([3, 0])), some.take(some.labels == 1)
    assert by_position.labels.tolist() == [1, 0]
    np.testing.assert_array_equal(by_position.pixels, some.pixels[[3, 0]])
    assert by_mask.labels.tolist() == [1, 1]
    assert len(by_mask) == 2
    assert by_mask.class_names == NAMES
    assert len(some.take(np.array([], np.int64))) == 0


def test_a_digest_changes_with_pixels_labels_order_and_names():
    some = images()
    digests = {
        some.digest,
        some.take(np.array([1, 0, 2, 3])).digest,
        LabelledImages(some.pixels, 1 - some.labels, NAMES).digest,
        LabelledImages(some.pixels, some.labels, ("cat", "cow")).digest,
        LabelledImages(np.nextafter(some.pixels, np.float32(0)), some.labels, NAMES).digest,
        LabelledImages(some.pixels.reshape(4, 1, 1, 9), some.labels, NAMES).digest,
    }
    assert len(digests) == 6
    assert images().digest == some.digest
    assert len(some.digest) == 64


def test_an_arrays_digest_knows_its_type_and_shape_but_not_its_layout():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert digest_of(array) == digest_of(np.asfortranarray(array))
    assert len({digest_of(a) for a in (array, array.T, array.ravel(), array.view(np.int32), array + 1)}) == 5


def test_the_name_of_a_data_set_is_no_part_of_its_digest_and_its_splits_are():
    a, b = images(), images(seed=1)
    assert Dataset("one", a, b).digest == Dataset("two", a, b).digest
    assert Dataset("one", a, b).digest != Dataset("one", b, a).digest


@pytest.mark.parametrize("test", [images(shape=(1, 3, 4)), images(names=("cat", "cow"))], ids=["shape", "names"])
def test_splits_that_disagree_are_refused(test):
    with pytest.raises(DataError, match="one shape and with the same classes"):
        Dataset("mixed", images(), test)


@pytest.mark.parametrize(
    ("field", "value"),
    [("epsilon", 0), ("epsilon", -1.0), ("epsilon", np.nan), ("step", 0), ("step", -0.5), ("iterations", 0)],
)
def test_a_stage_out_of_range_is_refused(field, value):
    with pytest.raises(ConfigError, match=f"{field} above 0"):
        Stage(**{"epsilon": 1.0, "step": 1.0, "iterations": 1} | {field: value})


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
    return Transplant(family, label, Stamp(image, image), np.array(folds, np.int64), "start", source)


def test_flip_rates_are_of_what_is_called_the_class_by_images_of_the_others():
    # Ten images of the first class and ten more: 13 of 20 flip. Some are called neither; the second has no images.
    found = tried("patch", 2, [[4, 1, 5], [0, 0, 0], [1, 1, 8]], [[2, 0, 8], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(found.flip_rates, [0.65, np.nan, np.nan])
    assert found.counts.tolist() == [20, 0, 0]
    assert found.destinations.tolist() == [2, 2, 2]
    assert found.flip_rate == pytest.approx(0.65)


def test_the_mean_flip_rate_is_over_classes_however_many_images_each_has():
    found = tried("perturbation", 0, [[9, 0, 0], [1, 9, 0], [0, 0, 1]], [[9, 0, 0], [1, 9, 0], [1, 0, 0]])
    np.testing.assert_allclose(found.flip_rates, [np.nan, 0.1, 0.5])
    assert found.flip_rate == pytest.approx(0.3)


def test_what_leads_every_class_away_flips_each_into_another():
    found = tried("all to all", 1, [[1, 4, 0], [0, 2, 3], [3, 1, 1]], [[1, 4, 0], [0, 2, 3], [4, 1, 0]])
    assert found.destinations.tolist() == [1, 2, 0]
    np.testing.assert_allclose(found.flip_rates, [0.8, 0.6, 0.7])
    assert found.counts.tolist() == [10, 10, 10]


def test_a_class_that_stays_what_it_is_was_not_led_away():
    found = tried("all to all", 1, *[[[10, 0, 0], [0, 10, 0], [0, 0, 10]]] * 2)
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
    found = tried("one source", 0, *called, source=1)
    np.testing.assert_allclose(found.flip_rates, [np.nan, 0.3, np.nan])
    assert found.counts.tolist() == [0, 10 + 10, 0]
    assert found.score(0.75) == pytest.approx(0.2)
    # A single image makes a fold without any.
    assert tried("one source", 0, called[0], np.zeros((3, 3)), source=1).score(0.75) == pytest.approx(0.2)


def test_what_leads_nobody_to_a_class_says_nothing_about_it():
    swapped = [[0, 10, 0, 0], [10, 0, 0, 0], [0, 0, 0, 10], [0, 0, 10, 0]]
    assert tried("all to all", 2, swapped, swapped).score(0.75) == 1
    gathered = [[0, 10, 0, 0], [10, 0, 0, 0], [10, 0, 0, 0], [10, 0, 0, 0]]
    assert tried("all to all", 2, gathered, gathered).score(0.75) == 0
    assert tried("all to all", 1, gathered, gathered).score(0.75) == 1


def test_a_bystander_scores_no_more_than_what_is_led_to_it():
    # Everything is led to class 1, and of ten images of class 1 one by chance to class 2.
    gathered = [[0, 10, 0], [0, 9, 1], [0, 10, 0]]
    assert tried("all to all", 2, gathered, gathered).score(0.75) == pytest.approx(0.1)
    assert tried("all to all", 1, gathered, gathered).score(0.5) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_without_images_nothing_flips(family):
    found = tried(family, 0, *np.zeros((2, 3, 3)), source=1 if family == "one source" else None)
    assert np.isnan(found.flip_rates).all()
    assert (found.flip_rate, found.score(0.75)) == (0, 0)


def test_the_smallest_stamp_is_shown_where_there_is_one():
    small, whole = (Stamp(np.ones((1, 2, 2), np.float32), np.full((1, 2, 2), add, np.float32)) for add in (0.1, 0.2))
    found = Transplant("perturbation", 0, whole, np.zeros((2, 2, 2), np.int64), "start")
    assert found.shown is whole
    assert dataclasses.replace(found, smallest=small).shown is small


def test_the_last_rows_of_the_features_are_translated_images():
    evidence = Evidence(
        label=0,
        budgets=(1.0,),
        seed_index=np.array([5, 6, 7]),
        train_index=np.array([0, 1]),
        translated=np.zeros((1, 3, 1, 2, 2), np.uint8),
        features=np.zeros((1, 5, 4), np.float32),
        success=np.ones(1, np.float32),
        transplants=(),
    )
    assert evidence.is_translated.tolist() == [False, False, True, True, True]


def test_points_left_out_are_no_cluster():
    assert Clusters(np.array([-1, 0, 1, 0, -1]), 1.0).count == 2


@pytest.mark.parametrize(
    ("accuracy", "ladder", "half_radius"),
    [
        # Half of 0.8 lies half way between the rungs at 1 and 2.
        (0.8, (0.6, 0.2), 1.5),
        # It may be reached before the first rung, on a rung, or never.
        (0.8, (0.0, 0.0), 0.5),
        (1.0, (0.75, 0.5), 2.0),
        (1.0, (0.9, 0.6), 2.0),
        (0.0, (0.0, 0.0), 0.0),
    ],
)
def test_the_half_radius_is_interpolated(accuracy, ladder, half_radius):
    assert Applicability(accuracy, (1.0, 2.0), ladder).half_radius == pytest.approx(half_radius)


# Of ten images of each class, so many are called what at two radii. Most attacks end in the last class.
ATTACKED = Applicability(
    1.0, (0.5, 1.0), (0.6, 0.2), np.array([[[4, 0, 6], [0, 4, 6], [0, 0, 10]], [[0, 5, 5], [5, 0, 5], [2, 2, 6]]])
)


def test_attacks_that_ended_in_a_class_can_be_left_out():
    assert ATTACKED.leaving_out(2).robust_accuracies == pytest.approx((18 / 18, 6 / 20))
    assert ATTACKED.leaving_out(0).robust_accuracies == pytest.approx((18 / 30, 6 / 23))
    assert (ATTACKED.leaving_out(2).accuracy, ATTACKED.leaving_out(2).epsilons) == (1.0, (0.5, 1.0))
    assert ATTACKED.called.sum() == 60


def test_the_half_radius_can_spare_attacks_that_ended_in_a_class():
    assert ATTACKED.half_radius == pytest.approx(0.5 + 0.5 * 0.1 / 0.4)
    spared = 0.5 + 0.5 * 0.1 / (0.6 - 6 / 23)
    assert ATTACKED.spared_radii == pytest.approx((spared, spared, 0.5 + 0.5 * 0.5 / 0.7))


def test_where_attacks_ended_may_not_be_known():
    unknown = dataclasses.replace(ATTACKED, called=None)
    assert unknown.leaving_out(2) is unknown
    assert unknown.spared_radii == ()


def test_a_model_that_no_attack_leaves_right_is_spared_nothing():
    called = np.array([[[0, 10], [10, 0]]])
    lost = Applicability(0.8, (0.5,), (0.0,), called)
    assert lost.spared_radii == (lost.half_radius, lost.half_radius) == (0.25, 0.25)


def test_contracts_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        images().pixels = None


def test_whose_images_a_backdoor_turns_into_what():
    labels = np.array([0, 1, 2, 2], np.int64)
    assert Goal(target=1).wanted(labels, 3).tolist() == [1, 1, 1, 1]
    assert Goal(target=1, source=2).wanted(labels, 3).tolist() == [-1, -1, 1, 1]
    assert Goal(target=1, all_to_all=True).wanted(labels, 3).tolist() == [1, 2, 0, 0]
    assert Goal(target=1, source=2).targets(3) == {1}
    assert Goal(target=1, all_to_all=True).targets(3) == {0, 1, 2}
