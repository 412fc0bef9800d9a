"""What a scan measures: robustness of the model, evidence of each class, embeddings and clusters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from aegis.core.types.triggers import CandidateTrigger

VerdictName = Literal["infected", "clean", "inconclusive"]


@dataclass(frozen=True, eq=False)
class Applicability:
    """Holds the accuracy and robustness of a model, which decide whether the method can judge it.

    Args:
        accuracy: accuracy on the test images, in [0, 1].
        epsilons: L2 radii at which robust accuracy was measured, increasing, length r.
        robust_accuracies: accuracy under untargeted L2 PGD at each radius, in [0, 1], length r.
        confusion: confusion matrix under attack at each radius: ``confusion[r, i, j]`` images of class i are predicted
            as j, shape (r, k, k); None if unknown.
        universal_radii: for each class, the L2 norm at which one universal perturbation turns half of the other images
            into it, length k; for some classes only where there are many; empty if unknown.
        universal_areas: for the same classes, the share of pixels at which one universal patch does the same, in
            [0, 1]; empty if unknown.
    """

    accuracy: float
    epsilons: tuple[float, ...]
    robust_accuracies: tuple[float, ...]
    confusion: Int64[np.ndarray, "r k k"] | None = None
    universal_radii: tuple[float, ...] = ()
    universal_areas: tuple[float, ...] = ()

    @property
    def half_radius(self) -> float:
        """The L2 radius at which accuracy falls to half, interpolated linearly; the largest radius if it never does."""
        half = self.accuracy / 2
        radii, values = (0.0, *self.epsilons), (self.accuracy, *self.robust_accuracies)
        for (r0, a0), (r1, a1) in zip(zip(radii, values), zip(radii[1:], values[1:])):
            if a1 <= half:
                return r0 + (r1 - r0) * (a0 - half) / max(a0 - a1, 1e-12)
        return radii[-1]

    @property
    def half_radii_excluding_target(self) -> tuple[float, ...]:
        """For each class, the half radius without attacks that ended in it, because a backdoor into it is a weakness of
        its own; empty if the confusion matrices are unknown.
        """
        rows = self.accuracies_excluding_target
        return tuple(replace(self, robust_accuracies=row, confusion=None).half_radius for row in rows)

    @property
    def accuracies_excluding_target(self) -> tuple[tuple[float, ...], ...]:
        """For each class, the robust accuracies without attacks that ended in it; empty if the confusion matrices are
        unknown.
        """
        if self.confusion is None:
            return ()
        right = self.confusion.diagonal(axis1=1, axis2=2)
        # For all classes at once, since leaving out each in turn takes minutes where there are a thousand.
        kept = self.confusion.sum(axis=(1, 2))[:, None] - (self.confusion.sum(axis=1) - right)
        return tuple(map(tuple, (right.sum(axis=1)[:, None] / np.maximum(kept, 1)).T.tolist()))


@dataclass(frozen=True, eq=False)
class Evidence:
    """Holds what the model shows about one class (Algorithm 1, steps 1 and 2) and the candidate triggers found for it.

    Args:
        label: the class under test.
        budgets: L2 radii at which translated images were kept, increasing, length b.
        seed_index: positions of the seed images in the training split, shape (n,).
        train_index: positions of the class's own images in the training split, shape (m,).
        translated: translated images as 8-bit pictures, shape (b, n, c, h, w).
        features: features of the class's training images, then of the translated ones, reduced by PCA, shape (b, m + n,
            d) with d at most 150.
        success: share of translated images that the model predicts as the class at each budget, in [0, 1], shape (b,).
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
        """Mask of the rows of the features that belong to translated images."""
        return np.arange(self.features.shape[1]) >= len(self.train_index)


@dataclass(frozen=True, eq=False)
class Embedding:
    """Holds the features of one class at one budget in the plane (Algorithm 1, step 3).

    Args:
        points: coordinates, shape (p, 2).
        is_translated: mask of the points that are translated images, shape (p,).
        budget: L2 radius of the translation.
    """

    points: Float32[np.ndarray, "p 2"]
    is_translated: Bool[np.ndarray, " p"]
    budget: float


@dataclass(frozen=True, eq=False)
class Clusters:
    """Holds the mean-shift clusters of an embedding (Algorithm 1, step 4).

    Args:
        assignment: cluster of each point, 0 for the largest, shape (p,); -1 for points left out.
        bandwidth: radius of the flat kernel, in the unit of the embedding; above 0.
    """

    assignment: Int64[np.ndarray, " p"]
    bandwidth: float

    @property
    def count(self) -> int:
        """Number of clusters."""
        return int(self.assignment.max()) + 1


@dataclass(frozen=True, eq=False)
class Finding:
    """Holds everything found about one class, before the verdict.

    Args:
        evidence: translated images, features and candidate triggers.
        embeddings: one for each budget.
        clusters: clusters of training and translated images together, one for each budget.
        translated_clusters: clusters of the translated images alone (Fig. 16), one for each budget.
    """

    evidence: Evidence
    embeddings: tuple[Embedding, ...]
    clusters: tuple[Clusters, ...]
    translated_clusters: tuple[Clusters, ...]

    @property
    def label(self) -> int:
        """The class under test."""
        return self.evidence.label
