"""The time that is told before references are made."""

import pytest

from aegis.services.reference_cost import COSTS, expected_seconds, task_seconds
from aegis.services.reference_recipes import KINDS

GREY = (1, 28, 28)


def test_every_kind_of_model_has_its_cost():
    assert len(COSTS) == len(KINDS)


def test_two_cores_take_about_two_minutes_for_five_thousand_small_images():
    # Measured: aegis reference samples:fashion_mnist --jobs 2 in 119 s.
    assert expected_seconds(GREY, (500,) * 10, 4, 2) == pytest.approx(119, rel=0.15)


def test_cores_help_only_until_each_model_has_its_own_chain():
    counts = (500,) * 10
    slowest = max(cost.train + cost.assess + cost.search for cost in COSTS)
    assert expected_seconds(GREY, counts, 4, 1) == 2 * expected_seconds(GREY, counts, 4, 2)
    assert expected_seconds(GREY, counts, 4, 1000) == pytest.approx(slowest)


def test_pixels_and_classes_cost_time():
    counts = (500,) * 10
    assert task_seconds(0, "class-3", (3, 56, 56), counts) == 4 * task_seconds(0, "class-3", GREY, counts)
    assert expected_seconds(GREY, (100,) * 20, 4, 2) > expected_seconds(GREY, (200,) * 10, 4, 2)
    # A small data set is seen more often, but not without limit.
    assert task_seconds(0, "train", GREY, (100,) * 10) < task_seconds(0, "train", GREY, counts)
