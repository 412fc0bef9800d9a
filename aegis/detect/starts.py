"""Chooses where trigger inversion starts: from the changes that translation made, and from noise."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8

from aegis.attacks.stamps import Start
from aegis.core.types import as_pixels
from aegis.detect.features import principal_components

# Few principal components separate clusters of changes; k-means on all pixels would take seconds.
COMPONENTS = 20
# A large image has more tiles, so that a trigger of few pixels is not lost in one; but no more than so many a side.
TILE, MOST_TILES = 16, 5


def cluster_starts(
    seeds: Float32[np.ndarray, "n c h w"],
    translated: UInt8[np.ndarray, "b n c h w"],
    clusters: int,
    generator: np.random.Generator,
) -> list[Start]:
    """Groups the changes of translated images by k-means and starts from the mean of each group, at every budget.

    Args:
        seeds: images before translation in [0, 1], shape (n, c, h, w).
        translated: the same images at each budget as 8-bit pictures, shape (b, n, c, h, w).
        clusters: the most groups at each budget, at least 1.
        generator: draws the seeds of k-means.

    Returns:
        At most b * clusters starts.
    """
    from sklearn.cluster import KMeans

    starts = []
    for i, images in enumerate(translated):
        moved = as_pixels(images)
        changes = (moved - seeds).reshape(len(seeds), -1)
        leading = principal_components(torch.from_numpy(changes), COMPONENTS)
        # Translation may change nothing, or all images alike; then fewer groups exist than requested.
        groups = min(clusters, len(np.unique(leading, axis=0)))
        means = KMeans(groups, n_init=3, random_state=int(generator.integers(2**31)))
        assignment = means.fit_predict(leading)
        for c in np.unique(assignment):
            members = assignment == c
            change = changes[members].mean(axis=0).reshape(seeds.shape[1:])
            starts.append(Start(change, moved[members].mean(axis=0), f"budget {i + 1}, change cluster {c + 1}"))
    return starts


def noise_starts(shape: tuple[int, ...], tiles: int, generator: np.random.Generator) -> list[Start]:
    """Starts from noise on each tile of the image, because a trigger may lie where translation changes nothing.

    Args:
        shape: channels, height and width of the images.
        tiles: number of tiles along each side, at least 1; more, up to ``MOST_TILES``, where each would be longer than
            ``TILE`` pixels.
        generator: draws the noise.

    Returns:
        One start for each tile.
    """
    _, height, width = shape
    tiles = max(tiles, min(MOST_TILES, round(max(height, width) / TILE)))
    starts = []
    for rows in np.array_split(np.arange(height), tiles):
        for columns in np.array_split(np.arange(width), tiles):
            where = np.zeros(shape, np.float32)
            where[:, rows[:, None], columns] = 1
            name = f"noise in rows {rows[0]} to {rows[-1]}, columns {columns[0]} to {columns[-1]}"
            starts.append(Start(where, generator.random(shape, np.float32), name))
    return starts


def source_starts(
    seeds: Float32[np.ndarray, "n c h w"],
    sources: Int64[np.ndarray, " n"],
    translated: UInt8[np.ndarray, "b n c h w"],
    only: Collection[int] | None = None,
) -> dict[int, list[Start]]:
    """Starts from the mean change and the mean translated image of each source class, at every budget.

    Args:
        seeds: images before translation in [0, 1], shape (n, c, h, w).
        sources: their classes, shape (n,).
        translated: the same images at each budget as 8-bit pictures, shape (b, n, c, h, w).
        only: the source classes; None for all that have seeds.

    Returns:
        For each source class, one start for each budget.
    """
    found: dict[int, list[Start]] = {}
    for k in sorted(set(sources.tolist()) if only is None else only):
        own = sources == k
        found[k] = [
            Start((moved - seeds[own]).mean(axis=0), moved.mean(axis=0), f"budget {i + 1}, change of class {k}")
            for i, moved in enumerate(as_pixels(images[own]) for images in translated)
        ]
    return found
