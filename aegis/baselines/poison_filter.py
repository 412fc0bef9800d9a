"""What every poison filter returns, and the filters by name.

A filter is given the training images, poison among them, and neither the trigger nor which images are poisoned. That is
more than a detector of checkpoints has, so filters are none of ``BASELINES``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Int64

from aegis.baselines.config import ActivationClusteringConfig, FilterConfig, SpectralSignaturesConfig
from aegis.core.runtime import Report, silent
from aegis.core.types import LabelledImages

if TYPE_CHECKING:
    from aegis.models.classifier import Classifier


@dataclass(frozen=True, eq=False, kw_only=True)
class FilterResult:
    """Holds what a filter says about every training image and about every class.

    Args:
        flagged: mask of the images that it takes for poison, shape (n,).
        scores: how suspicious each image is among those of its label, shape (n,); scores of two classes cannot be
            compared.
        statistics: what it measured of each class, shape (k,); NaN for a class without images.
        sizes: images in the larger and in the smaller cluster of each class, shape (k, 2); None where a filter makes no
            clusters.
    """

    flagged: Bool[np.ndarray, " n"]
    scores: Float32[np.ndarray, " n"]
    statistics: Float32[np.ndarray, " k"]
    sizes: Int64[np.ndarray, "k 2"] | None = None


@runtime_checkable
class FindPoison(Protocol):
    """Type of every filter's ``find_poison``."""

    def __call__(
        self,
        classifier: Classifier,
        images: LabelledImages,
        config: Any,  # noqa: ANN401 - each filter has settings of its own
        *,
        generator: np.random.Generator,
        report: Report = silent,
    ) -> FilterResult:
        """Looks for poison among training images.

        Args:
            classifier: the model that was trained on them, prepared by ``Classifier.frozen``.
            images: the training images with the labels that were learnt.
            config: settings of this filter.
            generator: of every random draw.
            report: receives an event before each class and one at the end; may raise ``Cancelled``.

        Returns:
            What it found.

        Raises:
            DataError: if the filter cannot take these images.
        """


@dataclass(frozen=True)
class PoisonFilter:
    """One filter.

    Args:
        title: its name for people.
        paper: authors and year.
        module: where its ``find_poison`` is.
        config: its default settings.
        statistic: what it measures of each class, in words.
    """

    title: str
    paper: str
    module: str
    config: FilterConfig
    statistic: str

    @property
    def find_poison(self) -> FindPoison:
        """Imports the filter, which needs torch."""
        return cast("FindPoison", import_module(self.module).find_poison)


POISON_FILTERS = {
    "clustering": PoisonFilter(
        "Activation clustering",
        "Chen et al. 2018",
        "aegis.baselines.activation_clustering",
        ActivationClusteringConfig(),
        "silhouette of its two clusters",
    ),
    "clustering-pca": PoisonFilter(
        "Activation clustering by PCA",
        "Chen et al. 2018, as in their code",
        "aegis.baselines.activation_clustering",
        ActivationClusteringConfig(reduction="pca"),
        "silhouette of its two clusters",
    ),
    "spectral": PoisonFilter(
        "Spectral signatures",
        "Tran, Li and Madry 2018",
        "aegis.baselines.spectral_signatures",
        SpectralSignaturesConfig(),
        "share of the variance along the top singular vector",
    ),
}
