"""Activation clustering: images of one label whose activations form a small cluster of their own are flagged.

Chen, Carvalho, Baracaldo, Ludwig, Edwards, Lee, Molloy and Srivastava: Detecting Backdoor Attacks on Deep Neural
Networks by Activation Clustering, SafeAI workshop at AAAI 2019 (arXiv 1811.03728, 2018).
"""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Bool, Float32, Float64

from aegis.baselines.activations import activations_by_label
from aegis.baselines.config import ActivationClusteringConfig
from aegis.baselines.poison_filter import FilterResult
from aegis.core.runtime import MAX_SEED, Report, silent
from aegis.core.types import LabelledImages
from aegis.models.classifier import Classifier

# With fewer images than this no silhouette is defined.
MIN_IMAGES = 3


def find_poison(
    classifier: Classifier,
    images: LabelledImages,
    config: ActivationClusteringConfig,
    *,
    generator: np.random.Generator,
    report: Report = silent,
) -> FilterResult:
    """Splits the activations of each label's images into two clusters, and flags the smaller one where it is small.

    Args:
        classifier: the model that was trained on the images, prepared by ``Classifier.frozen``.
        images: the training images with the labels that were learnt.
        config: settings.
        generator: draws the seeds of the reduction and of k-means.
        report: receives an event of stage ``clustering`` before each class and one at the end; may raise ``Cancelled``.

    Returns:
        Scores are how much nearer an image lies to the smaller cluster's centre than to the larger one's; statistics
        are silhouettes in [-1, 1]. A class whose images all have the same activations has one cluster, no silhouette
        and no poison.

    Raises:
        DataError: if model and images do not fit together, or a class has fewer images than ``config.dimensions``.

    Source: Chen et al., relative size of clusters; FastICA, PCA and k-means are those of scikit-learn.
    """
    flagged, scores = np.zeros(len(images), bool), np.zeros(len(images), np.float32)
    silhouettes = np.full(classifier.classes, np.nan, np.float32)
    sizes = np.zeros((classifier.classes, 2), np.int64)
    least = max(config.dimensions, MIN_IMAGES)
    for own in activations_by_label(
        classifier, images, title="activation clustering", stage="clustering", least=least, report=report
    ):
        is_smaller, scores[own.index], silhouettes[own.label] = _split(own.centred, config, generator)
        count, smaller = len(is_smaller), int(is_smaller.sum())
        sizes[own.label] = count - smaller, smaller
        flagged[own.index] = is_smaller & (smaller < config.smaller * count)
    return FilterResult(flagged=flagged, scores=scores, statistics=silhouettes, sizes=sizes)


def _split(
    centred: Float32[np.ndarray, "m d"], config: ActivationClusteringConfig, generator: np.random.Generator
) -> tuple[Bool[np.ndarray, " m"], Float32[np.ndarray, " m"], float]:
    """Clusters images; gives the mask of the smaller cluster, a score of each image, and the silhouette."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    seeds = generator.integers(MAX_SEED, size=2).tolist()
    # Whitening blows up directions in which activations differ by rounding alone.
    kept = min(config.dimensions, int(np.linalg.matrix_rank(centred)))
    if not kept:
        return np.zeros(len(centred), bool), np.zeros(len(centred), np.float32), float("nan")
    reduced = _reduced(centred.astype(np.float64), kept, config.reduction == "ica", seeds[0])
    clusters = KMeans(2, n_init=config.starts, random_state=seeds[1]).fit(reduced)
    smaller = int(np.bincount(clusters.labels_, minlength=2).argmin())
    distances = clusters.transform(reduced)
    scores = (distances[:, 1 - smaller] - distances[:, smaller]).astype(np.float32)
    return clusters.labels_ == smaller, scores, float(silhouette_score(reduced, clusters.labels_))


def _reduced(centred: Float64[np.ndarray, "m d"], kept: int, ica: bool, seed: int) -> Float64[np.ndarray, "m q"]:
    """Computes so many independent components of unit variance, or principal components."""
    from sklearn.decomposition import PCA, FastICA
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Components that still turn after the last iteration span the same space, in which k-means sees no difference.
        warnings.simplefilter("ignore", ConvergenceWarning)
        how = FastICA(kept, whiten="unit-variance", random_state=seed) if ica else PCA(kept, random_state=seed)
        reduced: np.ndarray = how.fit_transform(centred)
    return reduced
