"""Algorithm 1, step 2: computes features of training and translated images and reduces them together by PCA."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from aegis.core.types import as_pixels
from aegis.models.classifier import Classifier


def represent(
    classifier: Classifier,
    training: Float32[np.ndarray, "m c h w"],
    translated: UInt8[np.ndarray, "b n c h w"],
    *,
    components: int,
    pooled: bool,
) -> Float32[np.ndarray, "b p d"]:
    """Computes features of training images and of translated ones, reduced by PCA once for each budget.

    Args:
        classifier: the model under test.
        training: the class's own images in [0, 1], shape (m, c, h, w).
        translated: translated images at each budget as 8-bit pictures, shape (b, n, c, h, w).
        components: number of principal components d, at most the number of images.
        pooled: which layer to take, as in ``Classifier.features``.

    Returns:
        Features, those of the training images first, shape (b, m + n, d).

    Source: Section 4, step 2.
    """
    own = classifier.features(torch.from_numpy(training), pooled=pooled)
    reduced = []
    for images in translated:
        moved = classifier.features(torch.from_numpy(as_pixels(images)), pooled=pooled)
        reduced.append(principal_components(torch.cat([own, moved]), components))
    return np.stack(reduced)


def principal_components(rows: torch.Tensor, components: int) -> Float32[np.ndarray, "p d"]:
    """Computes the scores of the leading principal components.

    There are far fewer images than feature dimensions, so the small Gram matrix is decomposed instead of the large
    covariance matrix. The sign of each component is fixed, so that equal input gives equal output.

    Args:
        rows: one row per image, shape (p, q).
        components: number of components, at least 1.

    Returns:
        Scores, shape (p, min(components, p, q)).
    """
    centred = rows - rows.mean(dim=0)
    values, vectors = torch.linalg.eigh((centred @ centred.T).double())
    kept = min(components, *rows.shape)
    values, vectors = values.flip(0)[:kept].clamp_min(0), vectors.flip(1)[:, :kept]
    largest = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True))
    scores: np.ndarray = (vectors * largest.sign() * values.sqrt()).float().numpy()
    return scores
