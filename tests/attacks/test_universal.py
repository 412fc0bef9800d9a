"""How far one perturbation must go, on a linear model where that is plain."""

import numpy as np
import pytest
import torch

from aegis.attacks.universal import universal_areas, universal_radii
from aegis.core.runtime import Cancelled, Runtime
from aegis.core.types import LabelledImages
from aegis.models.classifier import Classifier
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
    # Where there are none, those of the class itself stand in for them.
    alone = far.take(far.labels == 1)
    assert universal_radii(linear_model(), alone, 1.0, **HOW)[0] == pytest.approx(1.2, rel=0.1)


def test_many_classes_are_searched_in_groups_with_the_same_outcome(monkeypatch):
    model, images = linear_model(), images_at(0.8)
    radii, areas = universal_radii(model, images, 1.0, **HOW), universal_areas(model, images, **HOW)
    monkeypatch.setattr(type(model), "batch", 8)
    steps = []
    found = universal_radii(model, images, 1.0, **HOW, tell=lambda *done: steps.append(done))
    assert found == pytest.approx(radii, rel=0.1)
    assert (steps[0], steps[-1]) == ((1, 120), (120, 120))
    assert universal_areas(model, images, **HOW) == pytest.approx(areas, rel=0.1)


@pytest.mark.parametrize("margin", [0.25, 0.5, 1.0, 2.0])
def test_a_patch_is_as_large_as_it_must_be(margin):
    # A pixel at its extreme instead of grey moves an image by an eighth towards the border, and one that was on the
    # wrong side of grey by a little more.
    pixels = margin / (0.25 * (0.5 + 0.25 * margin))
    found = universal_areas(linear_model(), images_at(margin), **HOW)
    assert found == pytest.approx((pixels / 16, pixels / 16), rel=0.15)


def test_what_no_patch_reaches_takes_the_whole_image():
    layer = torch.nn.Linear(16, 2)
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.copy_(torch.tensor([-1.0, 1.0]))
    model = Classifier(torch.nn.Sequential(torch.nn.Flatten(), layer), (1, 4, 4)).eval().frozen(Runtime())
    areas = universal_areas(model, images_at(0.5), **HOW)
    assert areas[0] == 1
    assert areas[1] < 0.05


def test_some_classes_alone_are_measured_as_among_all():
    model, images = linear_model(), images_at(0.8)
    assert universal_radii(model, images, 1.0, **HOW, labels=[1]) == pytest.approx((0.8,), rel=0.1)
    assert len(universal_areas(model, images, **HOW, labels=[1, 0, 1])) == 3


def test_it_can_be_cancelled():
    def cancel(step, steps):
        raise Cancelled

    with pytest.raises(Cancelled):
        universal_radii(linear_model(), images_at(0.8), 1.0, **HOW, tell=cancel)
