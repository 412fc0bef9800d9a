import dataclasses

import numpy as np
import pytest

from aegis.core.types import Applicability, Clusters, Evidence


def test_the_last_rows_of_the_features_are_translated_images():
    evidence = Evidence(
        label=0,
        budgets=(1.0,),
        seed_index=np.array([5, 6, 7]),
        train_index=np.array([0, 1]),
        translated=np.zeros((1, 3, 1, 2, 2), np.uint8),
        features=np.zeros((1, 5, 4), np.float32),
        success=np.ones(1, np.float32),
        triggers=(),
    )
    assert evidence.is_translated.tolist() == [False, False, True, True, True]

    # Points left out are no cluster.
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
    assert ATTACKED.accuracies_excluding_target[2] == pytest.approx((18 / 18, 6 / 20))
    assert ATTACKED.accuracies_excluding_target[0] == pytest.approx((18 / 30, 6 / 23))
    assert ATTACKED.confusion.sum() == 60
    assert ATTACKED.half_radius == pytest.approx(0.5 + 0.5 * 0.1 / 0.4)
    spared = 0.5 + 0.5 * 0.1 / (0.6 - 6 / 23)
    assert ATTACKED.half_radii_excluding_target == pytest.approx((spared, spared, 0.5 + 0.5 * 0.5 / 0.7))


def test_where_attacks_ended_may_not_be_known():
    unknown = dataclasses.replace(ATTACKED, confusion=None)
    assert unknown.accuracies_excluding_target == ()
    assert unknown.half_radii_excluding_target == ()

    # A model that no attack leaves right is spared nothing.
    lost = Applicability(0.8, (0.5,), (0.0,), np.array([[[0, 10], [10, 0]]]))
    assert lost.half_radii_excluding_target == (lost.half_radius, lost.half_radius) == (0.25, 0.25)
