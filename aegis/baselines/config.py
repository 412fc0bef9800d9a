"""Settings of the detectors; importing them needs no torch.

A detector's own authors are the source of every default that its class does not name as different.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

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


@dataclass(frozen=True, kw_only=True)
class ActivationClusteringConfig:
    """Settings of activation clustering (Chen et al. 2018).

    Args:
        reduction: ``ica``, independent components, as the paper says; or ``pca``, principal components, the default of
            its authors' code. Independent components all have the same variance, principal ones keep theirs.
        dimensions: number of components that the activations of a class are reduced to; at most as many as they have.
        smaller: share of a class, in (0, 1), below which its smaller cluster is poison. The paper compares sizes and
            leaves the number to whoever expects a share of poison; this is the default of its authors' code, the
            Adversarial Robustness Toolbox (``analyze_by_relative_size``).
        starts: random starts of k-means, of which the best one counts; the paper does not say.

    Raises:
        ConfigError: for a value of 0 or less, or a share of 1 or more.
    """

    reduction: Literal["ica", "pca"] = "ica"
    dimensions: int = 10
    smaller: float = 0.35
    starts: int = 10

    def __post_init__(self) -> None:
        _require_positive(self)
        _require_share("smaller", self.smaller)


@dataclass(frozen=True, kw_only=True)
class SpectralSignaturesConfig:
    """Settings of spectral signatures (Tran, Li and Madry 2018; their code, MadryLab/backdoor_data_poisoning).

    Args:
        epsilon: bound on the poisoned share of a class, in (0, 1); in the paper 5 and 10% of the target's images.
        excess: so many times the bound is flagged, since not every poisoned image has one of the highest scores.

    Raises:
        ConfigError: for a value of 0 or less, or a bound of 1 or more.
    """

    epsilon: float = 0.05
    excess: float = 1.5

    def __post_init__(self) -> None:
        _require_positive(self)
        _require_share("epsilon", self.epsilon)


FilterConfig = ActivationClusteringConfig | SpectralSignaturesConfig


def _require_positive(config: Any) -> None:  # noqa: ANN401 - any of the classes above
    for one in fields(config):
        value = getattr(config, one.name)
        if isinstance(value, int | float) and not value > 0:
            raise ConfigError(f"{one.name} above 0", str(value), f"Give a positive {one.name}.")


def _require_share(name: str, value: float) -> None:
    if not value < 1:
        raise ConfigError(f"{name} below 1", str(value), f"Give a share as {name}.")
