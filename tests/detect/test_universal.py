"""How far one perturbation must go, on a linear model where that is plain."""

import numpy as np
import pytest

from aegis.detect.universal import universal_radii
from aegis.runtime import Cancelled
from aegis.types import LabelledImages
from tests.detect.linear import images_at, linear_model

HOW = {"steps": 60, "batch": 8}


@pytest.mark.parametrize("margin", [0.5, 1.0])
@pytest.mark.parametrize("start", [0.2, 4.0])
def test_a_class_is_reached_where_images_lie_from_the_border(margin, start):
    found = universal_radii(linear_model(), images_at(margin), start, **HOW)
    assert found == pytest.approx((margin, margin), rel=0.1)


def test_each_class_is_measured_by_images_of_the_others():
    near, far = images_at(0.4), images_at(1.2)
    pixels = np.where(near.labels[:, None, None, None] == 0, near.pixels, far.pixels)
    found = universal_radii(linear_model(), LabelledImages(pixels, near.labels, near.class_names), 1.0, **HOW)
    # Those of class 0 have a short way to class 1, and those of class 1 a long one to class 0.
    assert found == pytest.approx((1.2, 0.4), rel=0.1)


def test_many_classes_are_searched_in_groups_with_the_same_outcome(monkeypatch):
    model, images = linear_model(), images_at(0.8)
    together = universal_radii(model, images, 1.0, **HOW)
    monkeypatch.setattr(type(model), "batch", 8)
    steps = []
    assert universal_radii(model, images, 1.0, **HOW, tell=lambda *done: steps.append(done)) == pytest.approx(
        together, rel=0.1
    )
    assert steps[0] == (1, 120)
    assert steps[-1] == (120, 120)


def test_images_of_one_class_alone_stand_in_for_the_others():
    images = images_at(0.8)
    alone = images.take(images.labels == 1)
    assert universal_radii(linear_model(), alone, 1.0, **HOW)[0] == pytest.approx(0.8, rel=0.1)


def test_it_can_be_cancelled():
    def cancel(step, steps):
        raise Cancelled

    with pytest.raises(Cancelled):
        universal_radii(linear_model(), images_at(0.8), 1.0, **HOW, tell=cancel)
