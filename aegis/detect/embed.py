"""Algorithm 1, step 3: from features to the plane."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32

from aegis.core.errors import ConfigError, DataError
from aegis.core.runtime import Event, Report, silent
from aegis.core.types import Embedding, Evidence
from aegis.records.config import EmbedConfig

Embedder = Callable[[np.ndarray, EmbedConfig, Callable[[int, int], None]], np.ndarray]
TSNE_ITERATIONS = 750
EVERY = 50


def embed(evidence: Evidence, config: EmbedConfig, *, report: Report = silent) -> tuple[Embedding, ...]:
    """Training and translated images of one class in the plane, once per budget.

    Args:
        evidence: with features of shape (b, p, d).
        config: which method, and its perplexity and seed.
        report: told of stage ``embed``; may raise ``Cancelled``.

    Raises:
        ConfigError: if there is no such method.
        DataError: if there are too few points for the perplexity.
    """
    if config.method not in EMBEDDERS:
        raise ConfigError(f"an embedding among {', '.join(EMBEDDERS)}", repr(config.method), "Choose one of them.")
    budgets, points = evidence.features.shape[:2]
    check_points(points, evidence.label, config)
    embeddings = []
    for i, (features, budget) in enumerate(zip(evidence.features, evidence.budgets, strict=True)):

        def tell(step: int, total: int, i: int = i) -> None:
            report(Event(stage="embed", label=evidence.label, step=i * total + step, total=budgets * total))

        plane = EMBEDDERS[config.method](features, config, tell)
        embeddings.append(Embedding(plane, evidence.is_translated, budget))
    return tuple(embeddings)


def check_points(points: int, label: int, config: EmbedConfig) -> None:
    """Refuse a perplexity that so many points cannot have.

    Args:
        points: training and translated images of a class.
        label: the class.
        config: with the perplexity.

    Raises:
        DataError: if there are too few points for the perplexity.
    """
    if points <= 3 * config.perplexity:
        raise DataError(
            f"more than {3 * config.perplexity:g} images a class for a perplexity of {config.perplexity:g}",
            f"{points} (training and translated images of class {label})",
            "Give more images or seeds, or a smaller perplexity.",
        )


def _tsne(
    features: Float32[np.ndarray, "p d"], config: EmbedConfig, tell: Callable[[int, int], None]
) -> Float32[np.ndarray, "p 2"]:
    """t-SNE (van der Maaten and Hinton 2008) as openTSNE computes it."""
    from openTSNE import TSNE

    done = 0

    def on_iterations(iteration: int, error: float, embedding: np.ndarray) -> bool:
        # openTSNE counts anew after its early exaggeration.
        nonlocal done
        done += EVERY
        tell(done, TSNE_ITERATIONS)
        return False

    model = TSNE(
        perplexity=config.perplexity,
        initialization="pca",
        random_state=config.seed,
        n_jobs=1,
        neighbors="exact",
        callbacks=on_iterations,
        callbacks_every_iters=EVERY,
    )
    return np.asarray(model.fit(features), np.float32)


def _umap(
    features: Float32[np.ndarray, "p d"], config: EmbedConfig, tell: Callable[[int, int], None]
) -> Float32[np.ndarray, "p 2"]:
    """UMAP (McInnes et al. 2018); it has no callbacks, so progress is told at its ends only."""
    from umap import UMAP

    tell(0, 1)
    model = UMAP(n_neighbors=max(2, round(config.perplexity / 2)), random_state=config.seed, n_jobs=1)
    plane = np.asarray(model.fit_transform(features), np.float32)
    tell(1, 1)
    return plane


EMBEDDERS: dict[str, Embedder] = {"tsne": _tsne, "umap": _umap}
