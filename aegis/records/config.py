"""Settings of a scan, one frozen class for each step."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from aegis.core.errors import ConfigError
from aegis.core.runtime import MAX_SEED
from aegis.core.types import Family, Stage
from aegis.records.null_distribution import NullDistribution, calibrated
from aegis.records.references import ReferenceModel, References

Rule = Literal["paper", "default"]


def _require(condition: bool, expected: str, got: object, advice: str) -> None:
    if not condition:
        raise ConfigError(expected, str(got), advice)


def _require_seed(seed: int) -> None:
    _require(0 <= seed <= MAX_SEED, f"a seed from 0 to {MAX_SEED}", seed, "Choose a smaller one.")


@dataclass(frozen=True, kw_only=True)
class AssessConfig:
    """Settings of the step that measures accuracy and robustness.

    Args:
        images: number of test images, at most.
        epsilons: L2 radii of the attacks, growing.
        iterations: PGD steps of each attack.
        perturbation_steps, patch_steps: optimisation steps of universal perturbations and patches.
        universal_batch: images of each class in one of these steps.
    """

    images: int = 300
    epsilons: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)
    iterations: int = 10
    perturbation_steps: int = 40
    patch_steps: int = 60
    universal_batch: int = 16


# A patch that covers more of an image is no small trigger, however robust the model, and was never calibrated with.
MOST = 0.05


@dataclass(frozen=True, kw_only=True)
class TriggerSearchConfig:
    """Settings of trigger inversion.

    Args:
        area: share of the pixels a patch may replace; None computes it.
        radius: L2 norm of a perturbation; None computes it.
        area_fraction, norm_fraction: area and radius, when they are computed, as shares of what one patch, or one
            perturbation, for all images needs to make half of them an ordinary class.
        source_specific_share: the share of the area that a patch has for images of one class alone, which are led
            astray more easily.
        clusters: k-means clusters of changes, per budget, that searches start from.
        tiles: noise starts from so many parts of the image by so many.
        initial_area: share of the image that patches begin with.
        steps, screening_batch, source_screening_batch: optimisation steps from every start, and seeds in a step, of all
            other classes or of one.
        top_k: candidates of each family that are refined again and tried on held-out images.
        refine_steps, batch: their steps, and seeds in a step.
        held_out: test images per class that they are tried on.
        minimised_share: share of a trigger's success that its smallest part keeps.
        minimised_on: seeds at most on which that is measured.
    """

    area: float | None = None
    radius: float | None = None
    area_fraction: float = 0.25
    norm_fraction: float = 0.4
    source_specific_share: float = 0.75
    clusters: int = 3
    tiles: int = 3
    initial_area: float = 0.3
    steps: int = 30
    screening_batch: int = 8
    source_screening_batch: int = 3
    top_k: int = 2
    refine_steps: int = 16
    batch: int = 32
    held_out: int = 50
    minimised_share: float = 0.9
    minimised_on: int = 180

    def scaled(self, areas: Sequence[float], radii: Sequence[float]) -> TriggerSearchConfig:
        """Compute area and radius from the model's robustness, unless they were given.

        Args:
            areas, radii: shares of the pixels and L2 norms of universal patches and perturbations, one per class. Their
                median (the larger of two in the middle) stands for an ordinary class, since a few backdoors hardly move
                it.

        Returns:
            The settings with area and radius.
        """
        area, radius = (
            self.area_fraction * statistics.median_high(areas),
            self.norm_fraction * statistics.median_high(radii),
        )
        return replace(
            self,
            area=min(max(round(area, 4), 0.0001), MOST) if self.area is None else self.area,
            radius=max(round(radius, 2), 0.01) if self.radius is None else self.radius,
        )


@dataclass(frozen=True, kw_only=True)
class GatherConfig:
    """Settings of the steps that run the model: translation, features and trigger search.

    Args:
        seeds: images translated per class, at least 10 (500 in Section 4, step 1).
        stages: budgets of translation in turn, each starting where the one before it ended.
        components: principal components of the features that are kept, 2 to 150.
        pooled: use the pooled features instead of the flattened spatial map.
        seed: of every random draw, from 0 to 2**32 - 1.
        trigger_search: None to search for no triggers.

    Raises:
        ConfigError: for values out of range.
    """

    seeds: int = 500
    stages: tuple[Stage, ...] = ()
    components: int = 50
    pooled: bool = False
    seed: int = 0
    trigger_search: TriggerSearchConfig | None = field(default_factory=TriggerSearchConfig)

    def __post_init__(self) -> None:
        _require(self.seeds >= 10, "at least 10 seeds", self.seeds, "The paper recommends 500.")
        _require(bool(self.stages), "at least one budget", "none", "Give a budget.")
        # The embedding needs at least two dimensions.
        _require(2 <= self.components <= 150, "2 to 150 components", self.components, "Choose a value between.")
        _require_seed(self.seed)


@dataclass(frozen=True, kw_only=True)
class EmbedConfig:
    """Settings of the embedding of features in the plane.

    Args:
        method: one of ``EMBEDDERS``.
        perplexity: of t-SNE (30 in Table 10), or twice the neighbours of UMAP; at least 2.
        seed: of the embedding, from 0 to 2**32 - 1.

    Raises:
        ConfigError: for values out of range.
    """

    method: str = "tsne"
    perplexity: float = 30.0
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.perplexity >= 2, "a perplexity of at least 2", self.perplexity, "The paper uses 30.")
        _require_seed(self.seed)


@dataclass(frozen=True, kw_only=True)
class JudgeConfig:
    """Settings of mean shift, which clusters the points.

    Args:
        bandwidth: radius of the kernel, above 0; None computes it from the points.
        quantile: of pairwise distances from which it is computed, above 0 and at most 1 (scikit-learn's default is
            0.3).
    """

    bandwidth: float | None = None
    quantile: float = 0.3

    def __post_init__(self) -> None:
        if self.bandwidth is not None:
            _require(self.bandwidth > 0, "a bandwidth above 0", self.bandwidth, "Leave it out to have it computed.")
        _require(0 < self.quantile <= 1, "a quantile above 0 and at most 1", self.quantile, "The default is 0.3.")


@dataclass(frozen=True, kw_only=True)
class VerdictConfig:
    """Thresholds of the verdict.

    Args:
        rule: ``paper`` counts clusters alone; ``default`` demands a trigger that works on held-out images.
        source_quantile: the share of source classes that must reach a trigger's score, above 0 and at most 1.
        alpha: share of benign models of which a class may be flagged, above 0 and at most 1.
        min_score: no trigger that reaches less is worth a flag, in [0, 1].
        nulls: how far classes of benign models exceed each other, one for each family of triggers that is tested.
        references: benign models of the same data, whose nulls decide instead; None without any.
        min_accuracy: below this, in [0, 1], a model is not fit to be judged.
        min_half_radius: L2 radius at which a robust model still keeps half its accuracy, at least 0; the paper's
            models are trained at 0.5.

    Raises:
        ConfigError: for values out of range.
    """

    rule: Rule = "default"
    source_quantile: float = 0.75
    alpha: float = 0.01
    min_score: float = 0.5
    nulls: tuple[NullDistribution, ...] = field(default_factory=calibrated)
    references: References | None = None
    min_accuracy: float = 0.5
    min_half_radius: float = 0.5

    def __post_init__(self) -> None:
        for name in ("source_quantile", "alpha"):
            value = getattr(self, name)
            _require(0 < value <= 1, f"{name} above 0 and at most 1", value, "Give a share.")
        for name in ("min_score", "min_accuracy"):
            value = getattr(self, name)
            _require(0 <= value <= 1, f"{name} in [0, 1]", value, "Give a share.")
        _require(self.min_half_radius >= 0, "min_half_radius of at least 0", self.min_half_radius, "Give an L2 norm.")

    @property
    def compared_with(self) -> References:
        """What is expected of a benign model: the references, or none of them."""
        return self.references or References(images=(), class_names=(), models=(), nulls=self.nulls)

    @property
    def reference_models(self) -> tuple[ReferenceModel, ...]:
        """The reference models, if there are any."""
        return self.compared_with.models

    def p_value(self, family: Family, label: int, source: int | None, score: float) -> float:
        """Bounds the share of benign models in which any class has a candidate as unusual as this one.

        Args:
            family: of the candidate.
            label: the class that it leads to.
            source: the class that a source-specific candidate is made for, else None.
            score: of the candidate, in [0, 1].

        Returns:
            The p-value.
        """
        return self.compared_with.p_value(family, label, source, score)

    def threshold(self, family: Family, label: int, source: int | None) -> float | None:
        """Computes the score from which a candidate flags its class.

        Args:
            family, label, source: as in ``p_value``.

        Returns:
            The score, in [0, 1]; None for a family without a null distribution.
        """
        needed = self.compared_with.threshold(family, label, source, self.alpha)
        return None if needed is None else max(self.min_score, needed)


@dataclass(frozen=True, kw_only=True)
class ScanConfig:
    """All settings of a scan; each step is given its own part only.

    Args:
        assess: how accuracy and robustness are measured.
        gather: how images are translated and triggers are searched for.
        embed: how features are embedded in the plane.
        judge: how points are clustered.
        verdict: when a class is flagged.
    """

    assess: AssessConfig = field(default_factory=AssessConfig)
    gather: GatherConfig
    embed: EmbedConfig = field(default_factory=EmbedConfig)
    judge: JudgeConfig = field(default_factory=JudgeConfig)
    verdict: VerdictConfig = field(default_factory=VerdictConfig)


@dataclass(frozen=True, kw_only=True)
class Triage:
    """Says how long classes are examined.

    Args:
        budget: seconds after which no class is examined any more, above 0; ranking is always finished; None for no
            limit.
        only: the classes to examine, as a record says, however long it takes; None to let time decide.
        measured: whether there was time to measure the model among many classes, as a record says.

    Raises:
        ConfigError: for a budget of 0 or less.
    """

    budget: float | None = None
    only: tuple[int, ...] | None = None
    measured: bool = True

    def __post_init__(self) -> None:
        if self.budget is not None:
            _require(self.budget > 0, "a budget above 0 seconds", f"{self.budget:g}", "Give more, or leave it out.")


def plain_settings(settings: object) -> dict[str, Any]:
    """Converts settings to plain values.

    Args:
        settings: a dataclass of settings.

    Returns:
        Values by name; without references where there are none, as earlier versions wrote them, and without what
        they are fitted to.
    """
    plain: dict[str, Any] = dataclasses.asdict(settings)  # type: ignore[call-overload]
    for part in (plain, plain.get("verdict", {})):
        if (part.get("references") or {}).get("models"):
            del part["references"]["levels"]
        else:
            part.pop("references", None)
    return plain
