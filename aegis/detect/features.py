"""Algorithm 1, step 2: representations of training and translated images, reduced together."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from aegis.models.classifier import Classifier


def represent(
    classifier: Classifier,
    training: Float32[np.ndarray, "m c h w"],
    translated: UInt8[np.ndarray, "b n c h w"],
    *,
    components: int,
    pooled: bool,
) -> Float32[np.ndarray, "b p d"]:
    """Features of training images, then of translated ones, reduced by PCA once per budget.

    Args:
        classifier: the model under test.
        training: the class's own images.
        translated: at each budget.
        components: d, at most the number of images.
        pooled: see ``Classifier.features``.
    """
    own = classifier.features(torch.from_numpy(training), pooled=pooled)
    reduced = []
    for images in translated:
        moved = classifier.features(torch.from_numpy(as_pixels(images)), pooled=pooled)
        reduced.append(principal_components(torch.cat([own, moved]), components))
    return np.stack(reduced)


def principal_components(rows: torch.Tensor, components: int) -> Float32[np.ndarray, "p d"]:
    """Scores of the leading principal components, shape (p, min(components, p, dimensions)).

    There are far fewer images than feature dimensions, so the small Gram matrix is decomposed instead of
    the large covariance. The sign of each component is fixed, so that equal input gives equal output.
    """
    centred = rows - rows.mean(dim=0)
    values, vectors = torch.linalg.eigh((centred @ centred.T).double())
    kept = min(components, *rows.shape)
    values, vectors = values.flip(0)[:kept].clamp_min(0), vectors.flip(1)[:, :kept]
    largest = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True))
    scores: np.ndarray = (vectors * largest.sign() * values.sqrt()).float().numpy()
    return scores


def as_pixels(images: UInt8[np.ndarray, "*b c h w"]) -> Float32[np.ndarray, "*b c h w"]:
    """8-bit images as float32 in [0, 1]."""
    return images.astype(np.float32) / np.float32(255)


def as_pictures(pixels: torch.Tensor) -> UInt8[np.ndarray, "*b c h w"]:
    """Images in [0, 1] as 8-bit pictures: what is shown is then exactly what was measured."""
    return (pixels * 255).round().to(torch.uint8).cpu().numpy()
