"""Figures 3 to 7 and 13 to 16: translated images and features of a class, of one scan in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from aegis.core.errors import ConfigError, StoreError
from aegis.core.types import Finding
from aegis.experiments.paper.figure import Figure, Panel, Pictures, Points
from aegis.records.pictures import as_rgb
from aegis.records.record import ScanRecord
from aegis.store.cached_steps import find_class
from aegis.store.store import Store

# Pictures in each row and column of a sheet.
SIDE = 5


def _images(finding: Finding) -> Iterator[Panel]:
    """Translated images at every budget (Fig. 3)."""
    for budget, translated in zip(finding.evidence.budgets, finding.evidence.translated, strict=True):
        yield Pictures(f"class {finding.label}, L2 budget {budget:g}", sheet(translated))


def _features(finding: Finding) -> Iterator[Panel]:
    """Features without clusters (Figs. 4 and 5)."""
    for plane in finding.embeddings:
        yield Points(f"class {finding.label}, L2 budget {plane.budget:g}", plane, None)


def _clusters(finding: Finding) -> Iterator[Panel]:
    """Clusters alone (Fig. 6)."""
    for plane, found in zip(finding.embeddings, finding.clusters, strict=True):
        yield Points(f"class {finding.label}, L2 budget {plane.budget:g}: {found.count} clusters", plane, found)


def _both(finding: Finding) -> Iterator[Panel]:
    """Features, and beside them their clusters (Figs. 13 to 15)."""
    for left, right in zip(_features(finding), _clusters(finding), strict=True):
        yield from (left, right)


def _translated(finding: Finding) -> Iterator[Panel]:
    """Features, and beside them clusters of the translated images alone (Fig. 16)."""
    for left, plane, found in zip(_features(finding), finding.embeddings, finding.translated_clusters, strict=True):
        yield from (left, Points(f"translated images alone: {found.count} clusters", plane, found))


def _inputs(finding: Finding) -> Iterator[Panel]:
    """Translated images of each cluster (Fig. 7)."""
    first = len(finding.evidence.train_index)
    for budget, translated, found in zip(
        finding.evidence.budgets, finding.evidence.translated, finding.clusters, strict=True
    ):
        for cluster in range(found.count):
            members = translated[found.assignment[first:] == cluster]
            if len(members):
                yield Pictures(f"L2 budget {budget:g}, cluster {cluster + 1}: {len(members)} images", sheet(members))


@dataclass(frozen=True)
class Sort:
    """What a figure shows.

    Args:
        title: of the figure.
        labels: the classes that the paper shows.
        draw: makes the panels of a class.
    """

    title: str
    labels: tuple[int, ...]
    draw: Callable[[Finding], Iterator[Panel]]


FIGURES: Mapping[str, Sort] = {
    "3": Sort("Translated images", (7,), _images),
    "4": Sort("Features of translated and training images", (7,), _features),
    "5": Sort("Features of translated and training images", (7,), _features),
    "6": Sort("Mean-shift clusters of features", (7,), _clusters),
    "7": Sort("Translated images by cluster", (7,), _inputs),
    "13": Sort("Features and their clusters", (0, 7), _both),
    "14": Sort("Features and their clusters", (0, 7), _both),
    "15": Sort("Features and their clusters", (0,), _both),
    "16": Sort("Features, and clusters of translated images alone", (6,), _translated),
}


def figure(number: str, digest: str | None, labels: tuple[int, ...] | None = None) -> Figure:
    """Makes a figure from a scan in the store.

    Args:
        number: of the figure.
        digest: the first characters of the scan's key, as ``aegis history`` lists them; None for none given.
        labels: the classes; None for those of the paper.

    Returns:
        The figure.

    Raises:
        ConfigError: if no scan is given, or the scan has no such class.
        StoreError: if the store has no such scan, or no longer what was computed for it.
    """
    store, sort = Store(), FIGURES[number]
    record = find_scan(store, number, digest)
    known = [found.label for found in record.classes]
    wanted = labels or sort.labels
    if missing := [label for label in wanted if label not in known]:
        raise ConfigError(
            f"classes of the scan, {', '.join(map(str, known))}", ", ".join(map(str, missing)), "Give --classes."
        )
    panels: list[Panel] = []
    for label in wanted:
        finding = find_class(store, record, label)
        if finding is None:
            raise StoreError(f"what was computed for class {label}", "nothing in the store", "Scan the model again.")
        panels += sort.draw(finding)
    title = f"{sort.title}: {record.model.file}, {record.data.name}"
    return Figure(number, title, tuple(panels), remarks=(f"The scan says: {record.verdict}.",))


def find_scan(store: Store, number: str, digest: str | None) -> ScanRecord:
    """Finds a scan by the first characters of its key.

    Args:
        store: where to look.
        number: of the figure, for messages.
        digest: the characters; None for none given.

    Returns:
        The scan.

    Raises:
        ConfigError: if none are given.
        StoreError: if no scan has such a key, or several have.
    """
    if not digest:
        raise ConfigError(
            f"a scan to draw Figure {number} from",
            "none",
            "Scan a model with aegis scan --preset paper, then give --scan and the key that aegis history lists.",
        )
    found = [record for key, record in store.scans(None) if key.startswith(digest)]
    if len(found) != 1:
        got = "several" if found else "none"
        raise StoreError(f"one scan whose key begins with {digest}", got, "Take the key from aegis history --json.")
    return found[0]


def sheet(pictures: np.ndarray) -> np.ndarray:
    """Puts the first pictures side by side, in rows.

    Args:
        pictures: 8 bits, shape (n, c, h, w).

    Returns:
        One picture.
    """
    shown = as_rgb(pictures[: SIDE * SIDE])
    shown = np.concatenate([shown, np.full((SIDE * SIDE - len(shown), *shown.shape[1:]), 255, np.uint8)])
    rows = shown.reshape(SIDE, SIDE, *shown.shape[1:])
    return np.concatenate([np.concatenate(list(row), axis=1) for row in rows])
