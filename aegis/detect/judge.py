"""What is made of evidence without the model: cheap enough to follow a slider."""

from __future__ import annotations

from collections.abc import Sequence

from aegis.core.types import Embedding, Evidence, Finding
from aegis.detect.cluster import cluster, cluster_translated
from aegis.records.config import JudgeConfig


def judge(evidence: Evidence, embeddings: Sequence[Embedding], config: JudgeConfig) -> Finding:
    """Cluster each embedding, with and without the training images; needs neither model nor images."""
    together = tuple(cluster(embedding, config) for embedding in embeddings)
    alone = tuple(cluster_translated(embedding, config) for embedding in embeddings)
    return Finding(evidence, tuple(embeddings), together, alone)
