"""What a model shows, of itself and class by class, and what its embeddings form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from aegis.core.types.triggers import CandidateTrigger

VerdictName = Literal["infected", "clean", "inconclusive"]


@dataclass(frozen=True, eq=False)
class Applicability:
    """How good and how robust a model is on these images.

    Args:
        accuracy: share of the test images classified as labelled, in [0, 1].
        epsilons: the ladder of L2 radii, growing.
        robust_accuracies: accuracy under untargeted L2 PGD at each radius, in [0, 1].
        called: how many images of each class (row) the model calls what (column) under attack at each radius,
            shape (r, k, k); None if that is not known.
        universal_radii: the L2 norm at which one perturbation for all makes half of the other images each class,
            length k; empty if that is not known.
        universal_areas: the same of a patch, as the share of the pixels that it replaces.
    """

    accuracy: float
    epsilons: tuple[float, ...]
    robust_accuracies: tuple[float, ...]
    called: Int64[np.ndarray, "r k k"] | None = None
    universal_radii: tuple[float, ...] = ()
    universal_areas: tuple[float, ...] = ()

    @property
    def half_radius(self) -> float:
        """The L2 radius at which accuracy falls to half, interpolated; the last rung if it never does."""
        half = self.accuracy / 2
        radii, values = (0.0, *self.epsilons), (self.accuracy, *self.robust_accuracies)
        for (r0, a0), (r1, a1) in zip(zip(radii, values), zip(radii[1:], values[1:])):
            if a1 <= half:
                return r0 + (r1 - r0) * (a0 - half) / max(a0 - a1, 1e-12)
        return radii[-1]

    def excluding_target(self, label: int) -> Applicability:
        """The same without attacks that ended in this class, since a backdoor is a weakness of its own."""
        if self.called is None:
            return self
        kept = self.called.copy()
        right = kept.diagonal(axis1=1, axis2=2).sum(axis=1)
        kept[:, np.arange(kept.shape[1]) != label, label] = 0
        accuracies = right / np.maximum(kept.sum(axis=(1, 2)), 1)
        return Applicability(self.accuracy, self.epsilons, tuple(accuracies.tolist()), kept)

    @property
    def half_radii_excluding_target(self) -> tuple[float, ...]:
        """The half radius without attacks that ended in each class, by class; empty if that is not known."""
        classes = range(0 if self.called is None else self.called.shape[1])
        return tuple(self.excluding_target(label).half_radius for label in classes)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the model shows about one class (Algorithm 1, steps 1 and 2, and the triggers).

    Args:
        label: the class under test.
        budgets: the L2 radii of the snapshots, growing, length b.
        seed_index: positions of the seeds in the training split, shape (n,).
        train_index: positions of the class's own images in the training split, shape (m,).
        translated: the translated images as 8-bit pictures, shape (b, n, c, h, w).
        features: of the class's training images, then of the translated ones, reduced by PCA,
            shape (b, m + n, d) with d at most 150.
        success: share of the translated images that the model calls the class, shape (b,).
        triggers: candidate triggers, the best of each family first.
    """

    label: int
    budgets: tuple[float, ...]
    seed_index: Int64[np.ndarray, " n"]
    train_index: Int64[np.ndarray, " m"]
    translated: UInt8[np.ndarray, "b n c h w"]
    features: Float32[np.ndarray, "b p d"]
    success: Float32[np.ndarray, " b"]
    triggers: tuple[CandidateTrigger, ...]

    @property
    def is_translated(self) -> Bool[np.ndarray, " p"]:
        """For each row of the features, whether it belongs to a translated image."""
        return np.arange(self.features.shape[1]) >= len(self.train_index)


@dataclass(frozen=True, eq=False)
class Embedding:
    """Features of one class at one budget in the plane (Algorithm 1, step 3).

    Args:
        points: shape (p, 2).
        is_translated: which points are translated images, shape (p,).
        budget: the L2 radius of the translation.
    """

    points: Float32[np.ndarray, "p 2"]
    is_translated: Bool[np.ndarray, " p"]
    budget: float


@dataclass(frozen=True, eq=False)
class Clusters:
    """Mean-shift clusters of an embedding (Algorithm 1, step 4).

    Args:
        assignment: cluster of each point, 0 for the largest, shape (p,); -1 for points left out.
        bandwidth: radius of the flat kernel.
    """

    assignment: Int64[np.ndarray, " p"]
    bandwidth: float

    @property
    def count(self) -> int:
        """How many clusters there are."""
        return int(self.assignment.max()) + 1


@dataclass(frozen=True, eq=False)
class Finding:
    """One class, judged without the model.

    Args:
        evidence: what the model showed.
        embeddings: one per budget.
        clusters: of training and translated images together, one per budget.
        translated_clusters: of the translated images alone (Fig. 16), one per budget.
    """

    evidence: Evidence
    embeddings: tuple[Embedding, ...]
    clusters: tuple[Clusters, ...]
    translated_clusters: tuple[Clusters, ...]

    @property
    def label(self) -> int:
        """The class."""
        return self.evidence.label
