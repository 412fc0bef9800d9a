"""Where searches for triggers begin: what translation changed, and noise where it changed nothing."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8

from aegis.attacks.stamps import Start
from aegis.detect.features import as_pixels, principal_components

# Clusters of changes are told apart by few directions; k-means over every pixel would take seconds.
COMPONENTS = 20


def cluster_starts(
    seeds: Float32[np.ndarray, "n c h w"],
    translated: UInt8[np.ndarray, "b n c h w"],
    clusters: int,
    generator: np.random.Generator,
) -> list[Start]:
    """Mean change and mean image of k-means clusters of the changes, at every budget."""
    from sklearn.cluster import KMeans

    starts = []
    for i, images in enumerate(translated):
        moved = as_pixels(images)
        changes = (moved - seeds).reshape(len(seeds), -1)
        leading = principal_components(torch.from_numpy(changes), COMPONENTS)
        # Where translation changed nothing, or the same everywhere, there are fewer groups than are asked for.
        groups = min(clusters, len(np.unique(leading, axis=0)))
        means = KMeans(groups, n_init=3, random_state=int(generator.integers(2**31)))
        assignment = means.fit_predict(leading)
        for c in np.unique(assignment):
            members = assignment == c
            change = changes[members].mean(axis=0).reshape(seeds.shape[1:])
            starts.append(Start(change, moved[members].mean(axis=0), f"budget {i + 1}, change cluster {c + 1}"))
    return starts


def noise_starts(shape: tuple[int, ...], tiles: int, generator: np.random.Generator) -> list[Start]:
    """Noise on each of ``tiles`` by ``tiles`` parts of the image: a trigger may lie where translation never looks."""
    _, height, width = shape
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
) -> dict[int, list[Start]]:
    """Mean change and mean image of each source class, at every budget."""
    found: dict[int, list[Start]] = {}
    for k in sorted(set(sources.tolist())):
        own = sources == k
        found[k] = [
            Start((moved - seeds[own]).mean(axis=0), moved.mean(axis=0), f"budget {i + 1}, change of class {k}")
            for i, moved in enumerate(as_pixels(images[own]) for images in translated)
        ]
    return found
