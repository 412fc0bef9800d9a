"""Section 5.1 and Table 9 in numbers."""

import pytest

from aegis.core.errors import ConfigError
from aegis.lab.recipes import RECIPES, Recipe, recipe_for

PAPER = {
    "robust": True,
    "epochs": 100,
    "batch": 128,
    "lr": 0.1,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "schedule": "step",
    "drop_every": 50,
    "norm": "l2",
    "epsilon": 0.5,
    "step": 1.5,
    "iterations": 20,
    "augment": False,
}


def test_the_paper_and_its_cifar10():
    for data in ("mnist", "gtsrb", "images of mine"):
        assert recipe_for("paper", data).settings == PAPER
    assert recipe_for("paper", "cifar10").settings == PAPER | {"epochs": 110, "augment": True}
    assert recipe_for("paper", "mnist", robust=False).settings == PAPER | {"robust": False}
    # No override reaches the preset.
    assert RECIPES["paper"].settings == PAPER
    with pytest.raises(ConfigError, match="paper, quick"):
        recipe_for("slow", "mnist")


def test_quick_is_the_cheaper():
    def passes(preset, data):
        recipe = recipe_for(preset, data)
        return recipe.epochs * (1 + recipe.iterations)

    for data in ("mnist", "fashion-mnist", "cifar10"):
        assert passes("quick", data) * 50 < passes("paper", data)
    assert recipe_for("quick", "mnist").epsilon == 0.5


@pytest.mark.parametrize("name", ["epochs", "batch", "lr", "epsilon", "step", "iterations"])
def test_values_that_cannot_be(name):
    for value in (0, -1):
        with pytest.raises(ConfigError, match=f"{name} above 0"):
            Recipe(**{"epochs": 1, "lr": 0.1, "schedule": "step", name: value})


def test_certified_training_is_said_only_where_it_is_on():
    assert "certified" not in recipe_for("quick", "mnist").settings
    certified = Recipe(epochs=1, lr=0.1, schedule="step", norm="linf", epsilon=0.1, certified=True)
    assert certified.settings["certified"] is True


@pytest.mark.parametrize(("changed", "got"), [({"norm": "l2"}, "norm l2"), ({"robust": False}, "standard training")])
def test_only_robust_training_in_linf_can_be_certified(changed, got):
    with pytest.raises(ConfigError, match=got):
        Recipe(**{"epochs": 1, "lr": 0.1, "schedule": "step", "norm": "linf", "certified": True, **changed})
