"""Patches that a model is trained to withstand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from aegis.core.errors import ConfigError
from aegis.core.runtime import Runtime, torch_generator
from aegis.lab.recipes import Recipe
from aegis.lab.resistance import PATCHES, with_patches
from aegis.lab.train import train
from aegis.metrics import predict

from .conftest import fresh

RECIPE = Recipe(robust=False, epochs=8, batch=32, lr=0.05, schedule="one-cycle")
TARGET, AREA = 2, 0.12


@pytest.fixture(scope="module")
def tensors(images):
    return torch.from_numpy(images.pixels), torch.from_numpy(images.labels)


def patched(model, tensors, seed=0):
    return with_patches(model.frozen(Runtime()), *tensors, TARGET, AREA, torch_generator(seed))


def test_half_of_the_other_classes_carry_a_patch_that_works(clean, images, tensors):
    before = tensors[0].clone()
    after = patched(clean, tensors).numpy()
    changed = (after != images.pixels).any((1, 2, 3))
    others = images.labels != TARGET
    assert not changed[~others].any()
    assert changed.sum() == others.sum() // 2 // PATCHES * PATCHES
    # Masks are soft, so that a few more pixels than the area change a little.
    moved = np.abs(after[changed] - images.pixels[changed]).max(axis=1) > 0.1
    assert moved.mean() <= 1.5 * AREA
    reached = predict(clean, after[changed]) == TARGET
    assert reached.mean() > (predict(clean, images.pixels[changed]) == TARGET).mean() + 0.2
    assert torch.equal(tensors[0], before)


def test_the_generator_alone_draws_them(clean, tensors):
    torch.rand(3)
    assert torch.equal(patched(clean, tensors), patched(clean, tensors))
    assert not torch.equal(patched(clean, tensors), patched(clean, tensors, seed=1))


def test_a_batch_without_other_classes_stays_as_it_is(clean, tensors):
    own = tensors[1] == TARGET
    few = tensors[0][own], tensors[1][own]
    assert patched(clean, few) is few[0]


def test_training_against_them_leaves_less_that_works(images, tensors):
    def reached(recipe):
        model = train(fresh(images), images, recipe)
        after = patched(model, tensors, seed=9).numpy()
        changed = (after != images.pixels).any((1, 2, 3))
        assert (predict(model, images.pixels) == images.labels).mean() > 0.9
        return (predict(model, after[changed]) == TARGET).mean()

    hardened = replace(RECIPE, patch_area=AREA, patch_target=TARGET)
    assert reached(hardened) < reached(RECIPE) - 0.2


def test_a_recipe_says_so_only_where_it_is_on():
    assert "patch_area" not in RECIPE.settings
    assert "patch_target" not in RECIPE.settings
    assert "spare_poison" not in RECIPE.settings
    assert replace(RECIPE, spare_poison=True).settings["spare_poison"] is True
    on = replace(RECIPE, patch_area=0.1, patch_target=3).settings
    assert (on["patch_area"], on["patch_target"]) == (0.1, 3)


@pytest.mark.parametrize(
    "changes", [{"patch_area": -0.1}, {"patch_area": 1.0}, {"patch_area": 0.1, "robust": True, "certified": True}]
)
def test_shares_that_cannot_be(changes):
    with pytest.raises(ConfigError, match="share of patches"):
        replace(RECIPE, norm="linf", **changes)
