"""The clusters of one class in short: how many of which images each holds, and its typical ones; no Streamlit here."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Int64

from aegis.core.text import printable
from aegis.core.types import Clusters
from aegis.ui.components.pictures import Sheet, montage
from aegis.ui.inspect.subject import Subject

# Typical images of a cluster, and how many of them in a row.
TYPICAL, ACROSS = 4, 2
# Classes that a cluster's seeds are said to come from.
SOURCES = 2


@dataclass(frozen=True, eq=False)
class ClusterSummary:
    """What is in one cluster.

    Args:
        number: of the cluster, from 0.
        rows: of its points, training images first.
        translated: number of translated images.
        training: number of the class's own training images.
        sources: class and number of its seeds, the most frequent first; empty where the seeds' classes are unknown.
        typical: rows of the images nearest to its mode.
    """

    number: int
    rows: Int64[np.ndarray, " k"]
    translated: int
    training: int
    sources: tuple[tuple[int, int], ...]
    typical: Int64[np.ndarray, " t"]

    @property
    def counts(self) -> str:
        """How many images of which origin it has, in words."""
        parts = ((self.translated, "translated"), (self.training, "training"))
        return ", ".join(f"{count} {origin}" for count, origin in parts if count)

    def say_sources(self, class_names: tuple[str, ...]) -> str:
        """Says which classes most of its seeds are of.

        Args:
            class_names: of all classes.
        """
        said = ", ".join(f"{printable(class_names[label], 24)} {count}" for label, count in self.sources[:SOURCES])
        return f"from {said}{', …' if len(self.sources) > SOURCES else ''}" if said else ""


def summarise(subject: Subject, clusters: Clusters) -> tuple[ClusterSummary, ...]:
    """Summarises the clusters of a class.

    Args:
        subject: the class.
        clusters: of its points.
    """
    return tuple(_summary(subject, clusters, number) for number in range(clusters.count))


def _summary(subject: Subject, clusters: Clusters, number: int) -> ClusterSummary:
    rows: Int64[np.ndarray, " k"] = np.flatnonzero(clusters.assignment == number)
    first, labels = subject.training_count, subject.seed_labels
    moved = rows[rows >= first]
    sources: tuple[tuple[int, int], ...] = ()
    if labels is not None and len(moved):
        found, counts = np.unique(labels[moved - first], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        sources = tuple((int(found[i]), int(counts[i])) for i in order)
    # A cluster is looked at for what translation did; training images stand in where there is nothing else, and cannot
    # where the scan's images are gone.
    shown = moved if len(moved) or subject.data is None else rows
    nearest = typical(subject.embedding.points[rows], clusters.bandwidth, np.isin(rows, shown))
    return ClusterSummary(number, rows, len(moved), len(rows) - len(moved), sources, rows[nearest])


def typical(
    points: Float32[np.ndarray, "k 2"], bandwidth: float, among: Bool[np.ndarray, " k"]
) -> Int64[np.ndarray, " t"]:
    """Finds the points of a cluster that lie nearest to its mode: the mean of those around its densest point.

    Args:
        points: of the cluster, at least one.
        bandwidth: radius around a point, above 0.
        among: points that may be chosen.

    Returns:
        Positions of at most ``TYPICAL`` points, the nearest first.
    """
    near = np.linalg.norm(points[:, None] - points[None], axis=2) <= bandwidth
    mode = points[near[near.sum(axis=1).argmax()]].mean(axis=0)
    distances = np.where(among, np.linalg.norm(points - mode, axis=1), np.inf)
    nearest: Int64[np.ndarray, " t"] = np.argsort(distances, kind="stable")[: min(TYPICAL, int(among.sum()))]
    return nearest


def whole_clusters(selected: Bool[np.ndarray, " p"], assignment: Int64[np.ndarray, " p"]) -> tuple[int, ...]:
    """Finds the clusters that a selection is made of.

    Args:
        selected: rows.
        assignment: cluster of each row, -1 for rows left out.

    Returns:
        Numbers of the clusters; empty unless the selection is whole clusters and nothing else.
    """
    found = np.unique(assignment[selected])
    if not len(found) or found[0] < 0 or (selected != np.isin(assignment, found)).any():
        return ()
    return tuple(found.tolist())


def narrowed(subject: Subject, summary: ClusterSummary) -> Subject:
    """Narrows a selection to one cluster.

    Args:
        subject: the class.
        summary: the cluster.
    """
    rows = np.zeros_like(subject.selected)
    rows[summary.rows] = True
    return replace(subject, selected=rows)


def typical_pictures(subject: Subject, summary: ClusterSummary) -> Sheet | None:
    """Puts the typical images of a cluster on one small sheet.

    Args:
        subject: the class.
        summary: the cluster.

    Returns:
        The sheet; None where their images are gone.
    """
    pictures = subject.pictures_of(summary.typical)
    return montage(pictures, subject.palette, columns=ACROSS) if len(pictures) else None
