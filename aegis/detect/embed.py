"""Algorithm 1, step 3: embeds features in the plane."""

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
    """Embeds training and translated images of one class in the plane, once for each budget.

    Args:
        evidence: evidence with features of shape (b, p, d).
        config: method, perplexity and seed.
        report: receives events of stage ``embed``; may raise ``Cancelled``.

    Returns:
        One embedding for each budget.

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
    """Refuses a perplexity that is too large for the number of points.

    Args:
        points: number of training and translated images of a class.
        label: the class.
        config: settings with the perplexity.

    Raises:
        DataError: if there are too few points for the perplexity.
    """
    if points <= 3 * config.perplexity:
        raise DataError(
            f"more than {3 * config.perplexity:g} images of class {label} and of others to translate, together",
            f"{points}",
            f"Give more training images of each class, or a perplexity of at most {(points - 1) // 3}.",
        )


def _tsne(
    features: Float32[np.ndarray, "p d"], config: EmbedConfig, tell: Callable[[int, int], None]
) -> Float32[np.ndarray, "p 2"]:
    """Embeds features by t-SNE (van der Maaten and Hinton 2008), computed by openTSNE."""
    from openTSNE import TSNE

    done = 0

    def on_iterations(iteration: int, error: float, embedding: np.ndarray) -> bool:
        # openTSNE restarts its count after the early exaggeration, so iterations are counted here.
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
    """Embeds features by UMAP (McInnes et al. 2018), which reports progress only at its start and end."""
    from umap import UMAP

    tell(0, 1)
    model = UMAP(n_neighbors=max(2, round(config.perplexity / 2)), random_state=config.seed, n_jobs=1)
    plane = np.asarray(model.fit_transform(features), np.float32)
    tell(1, 1)
    return plane


EMBEDDERS: dict[str, Embedder] = {"tsne": _tsne, "umap": _umap}
