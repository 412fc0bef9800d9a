"""Training recipes: the paper's, and a quick one for CPUs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from aegis.core.errors import ConfigError
from aegis.core.types import Norm

Schedule = Literal["step", "one-cycle"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Holds all settings of a training run except data, architecture and seed.

    Args:
        robust: adversarial training; otherwise plain empirical risk minimisation.
        epochs, batch, lr, momentum, weight_decay: settings of SGD.
        schedule: ``step`` divides the learning rate by 10 every ``drop_every`` epochs (StepLR); ``one-cycle`` raises it
            to ``lr`` and lowers it to nearly 0 (Smith 2018).
        drop_every: epochs between drops.
        norm, epsilon, step, iterations: settings of the training attack.
        augment: random crops, flips, colour jitter and small rotations.
        certified: train on interval bounds within ``epsilon`` (``lab.certified``) instead of under attack.
        patch_area: share of the pixels of patches that the model learns to withstand (``lab.resistance``), in [0, 1); 0
            for no such patches.
        patch_target: the class that these patches lead to.
        spare_poison: train on poisoned images as they are, and under attack on the clean ones only; an attacker who
            controls the training hides a trigger inside the budget of the training attack by this.

    Raises:
        ConfigError: for a value out of range.
    """

    robust: bool = True
    epochs: int
    batch: int = 128
    lr: float
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Schedule
    drop_every: int = 50
    norm: Norm = "l2"
    epsilon: float = 0.5
    step: float = 1.5
    iterations: int = 20
    augment: bool = False
    certified: bool = False
    patch_area: float = 0.0
    patch_target: int = 0
    spare_poison: bool = False

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "lr", "epsilon", "step", "iterations"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} above 0", str(getattr(self, name)), f"Give a positive {name}.")
        if self.certified and not (self.robust and self.norm == "linf"):
            kind = f"norm {self.norm}" if self.robust else "standard training"
            raise ConfigError("robust training with norm linf, to be certified", kind, "Set norm to linf.")
        if not 0 <= self.patch_area < 1 or (self.patch_area and self.certified):
            raise ConfigError(
                "a share of patches from 0 to below 1, and 0 in certified training",
                str(self.patch_area),
                "Correct patch_area.",
            )

    @property
    def settings(self) -> dict[str, Any]:
        """Everything it says, as cards keep it; what older cards do not know of stands there only where it is on."""
        said = asdict(self)
        if not self.certified:
            del said["certified"]
        if not self.patch_area:
            del said["patch_area"], said["patch_target"]
        if not self.spare_poison:
            del said["spare_poison"]
        return said


RECIPES: dict[str, Recipe] = {
    # Section 5.1 and Table 9: SGD, StepLR, L2 PGD 0.5 / 1.5 / 20.
    "paper": Recipe(epochs=100, lr=0.1, schedule="step"),
    # Two attack steps and one cycle take minutes on two cores, at some cost in robustness.
    "quick": Recipe(epochs=5, lr=0.2, schedule="one-cycle", step=0.3, iterations=2),
}


# In the paper, only CIFAR-10 is augmented and trained longer (Section 5.1).
OVERRIDES: dict[tuple[str, str], dict[str, Any]] = {
    ("paper", "cifar10"): {"epochs": 110, "augment": True},
    ("quick", "mnist"): {"epochs": 3},
    ("quick", "cifar10"): {"epochs": 6},
}


def recipe_for(preset: str, data: str, robust: bool = True) -> Recipe:
    """Gives the recipe of a preset for a data set.

    Args:
        preset: one of ``RECIPES``.
        data: name of the data set.
        robust: whether to train adversarially.

    Returns:
        The recipe.

    Raises:
        ConfigError: if there is no such preset.
    """
    if preset not in RECIPES:
        raise ConfigError(f"a training preset among {', '.join(RECIPES)}", repr(preset), "Choose one of them.")
    return replace(RECIPES[preset], robust=robust, **OVERRIDES.get((preset, data), {}))
