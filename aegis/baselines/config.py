"""Settings of the detectors; importing them needs no torch.

A detector's own authors are the source of every default that its class does not name as different.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from aegis.core.errors import ConfigError
from aegis.core.types import Stage


@dataclass(frozen=True, kw_only=True)
class NeuralCleanseConfig:
    """Settings of Neural Cleanse (Wang et al. 2019; their code, bolunwang/backdoor).

    Two defaults differ from the authors', who take 1000 steps of 31 mini-batches, hours on a processor: ``steps`` and
    ``mini_batches``.

    Args:
        images: number of test images, at most.
        steps: rounds after which the weight of the mask's norm may change.
        mini_batches, batch: gradient steps in a round, and images in each.
        learning_rate, betas: of Adam.
        cost: first weight of the mask's L1 norm; it is 0 until the attack works.
        up, down: factor by which the weight grows, and the one by which it shrinks.
        patience: rounds in a row with, or without, success after which the weight changes.
        success: share of the images that must be called the class.
        stop_patience: rounds without a smaller mask after which a class is done.
        stop_ratio: a mask counts as smaller from this share of the smallest before.
        index: anomaly index above which a class with a small mask is flagged.

    Raises:
        ConfigError: for a value of 0 or less.
    """

    images: int = 1000
    steps: int = 250
    mini_batches: int = 1
    batch: int = 32
    learning_rate: float = 0.1
    betas: tuple[float, float] = (0.5, 0.9)
    cost: float = 1e-3
    up: float = 1.5
    down: float = 1.5**1.5
    patience: int = 5
    success: float = 0.99
    stop_patience: int = 25
    stop_ratio: float = 0.99
    index: float = 2.0

    def __post_init__(self) -> None:
        _require_positive(self)

    @property
    def per_step(self) -> int:
        """Number of images in a round."""
        return self.mini_batches * self.batch


@dataclass(frozen=True, kw_only=True)
class PgdNormsConfig:
    """Settings of the AEGIS paper's variant of Neural Cleanse (Soremekun et al., RQ3).

    Args:
        images: training images that are led into each class; 100 in the paper.
        stage: budget, step and iterations. The paper says only that they were the same for standard and robust models:
            None takes its settings of translation for the data set.
        index: anomaly index above which a class with small changes is flagged.

    Raises:
        ConfigError: for a value of 0 or less.
    """

    images: int = 100
    stage: Stage | None = None
    index: float = 2.0

    def __post_init__(self) -> None:
        _require_positive(self)


@dataclass(frozen=True, kw_only=True)
class MaximumMarginConfig:
    """Settings of MM-BD (Wang et al. 2024; their code, wanghangpsu/MM-BD).

    Args:
        starts: random images from which the margin of each class is maximised.
        steps: gradient steps, at most.
        learning_rate: length of a step, in units of the gradient.
        tolerance: relative change of a class's margins at which it is done.
        alpha: p-value up to which the class of the largest margin is flagged.

    Raises:
        ConfigError: for a value of 0 or less.
    """

    starts: int = 30
    steps: int = 300
    learning_rate: float = 0.01
    tolerance: float = 1e-5
    alpha: float = 0.05

    def __post_init__(self) -> None:
        _require_positive(self)


DetectorConfig = NeuralCleanseConfig | PgdNormsConfig | MaximumMarginConfig


def _require_positive(config: Any) -> None:  # noqa: ANN401 - any of the classes above
    for one in fields(config):
        value = getattr(config, one.name)
        if isinstance(value, int | float) and not value > 0:
            raise ConfigError(f"{one.name} above 0", str(value), f"Give a positive {one.name}.")
