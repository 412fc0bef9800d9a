"""The selection of one class: its points and images, shown or written as files; no Streamlit here."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from aegis.core.text import cell, printable
from aegis.core.types import Clusters, Dataset, Embedding, Finding, as_8_bit, as_pixels
from aegis.records.config import ScanConfig
from aegis.records.pictures import as_rgb, where_changed
from aegis.records.record import ScanRecord
from aegis.ui.components.palette import Palette
from aegis.ui.components.pictures import PAGE, Picture, Pictures, differences, enlarge, heat, montage, png, scale_of

COLUMNS = ("row", "kind", "training_index", "label", "class", "x", "y", "cluster", "budget", "bandwidth")
# A fixed time, so that the same selection is the same file.
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Subject:
    """The selection of one class at one budget.

    Args:
        key: of the scan.
        record: the scan.
        finding: the class.
        data: the scan's images, or None where they are no longer to be had.
        config: the scan's settings.
        budget: position of the budget.
        selected: rows, training images first; none selected stands for all translated ones.
        clusters: as shown.
        palette: colours.
    """

    key: str
    record: ScanRecord
    finding: Finding
    data: Dataset | None
    config: ScanConfig
    budget: int
    selected: Bool[np.ndarray, " p"]
    clusters: Clusters
    palette: Palette

    @property
    def embedding(self) -> Embedding:
        """The points in the plane."""
        return self.finding.embeddings[self.budget]

    @property
    def name(self) -> str:
        """Name of the class."""
        return self.record.data.class_names[self.finding.label]

    @property
    def training_count(self) -> int:
        """Number of training images, whose rows come before those of translated ones."""
        return len(self.finding.evidence.train_index)

    @cached_property
    def rows(self) -> Bool[np.ndarray, " p"]:
        """Rows whose pictures are shown: the selection, or all translated images without one."""
        return self.selected if self.selected.any() else self.embedding.is_translated

    @cached_property
    def members(self) -> Int64[np.ndarray, " k"]:
        """The translated images among these rows, by position among the seeds."""
        return np.flatnonzero(self.rows[self.training_count :])

    @cached_property
    def own(self) -> Int64[np.ndarray, " k"]:
        """The training images among these rows."""
        return np.flatnonzero(self.rows[: self.training_count])

    @cached_property
    def translated(self) -> UInt8[np.ndarray, "k c h w"]:
        """Pixels of the translated images among these rows."""
        translated: np.ndarray = self.finding.evidence.translated[self.budget][self.members]
        return translated

    @cached_property
    def seeds(self) -> Float32[np.ndarray, "k c h w"] | None:
        """The same images before translation."""
        if self.data is None:
            return None
        return self._pixels(self.finding.evidence.seed_index[self.members])

    @cached_property
    def changes(self) -> Float32[np.ndarray, "k c h w"] | None:
        """Their change by translation."""
        if self.seeds is None:
            return None
        changes: np.ndarray = self.moved - self.seeds
        return changes

    @cached_property
    def moved(self) -> Float32[np.ndarray, "k c h w"]:
        """The translated images as pixels in [0, 1]."""
        return as_pixels(self.translated)

    def training(self, rows: Int64[np.ndarray, " k"]) -> Float32[np.ndarray, "k c h w"] | None:
        """Looks up training images of the class.

        Args:
            rows: of points.

        Returns:
            The images; None where they are gone.
        """
        if self.data is None:
            return None
        return self._pixels(self.finding.evidence.train_index[rows])

    def _pixels(self, index: Int64[np.ndarray, " k"]) -> Float32[np.ndarray, "k c h w"]:
        assert self.data is not None
        pixels: np.ndarray = self.data.train.pixels[index]
        return pixels

    def every_picture(self) -> tuple[int, Pictures]:
        """Makes the pictures of all points, or of the translated images alone where the scan's images are gone.

        Returns:
            The row of the first one, and the pictures.
        """
        first = 0 if self.data is not None else self.training_count
        return first, self.pictures_of(np.arange(len(self.embedding.points)))

    def pictures_of(self, rows: Int64[np.ndarray, " k"]) -> Pictures:
        """Makes the pictures of some points, training images first; none of those where the scan's images are gone.

        Args:
            rows: of points.
        """
        first = self.training_count
        moved = as_rgb(self.finding.evidence.translated[self.budget][rows[rows >= first] - first])
        own = self.training(rows[rows < first])
        return moved if own is None or not len(own) else np.concatenate([as_rgb(as_8_bit(own)), moved])

    @property
    def seed_labels(self) -> Int64[np.ndarray, " n"] | None:
        """The class of every seed."""
        return None if self.data is None else self.data.train.labels[self.finding.evidence.seed_index]

    def hover(self) -> list[str]:
        """Describes every point in a few words."""
        names, labels = self.record.data.class_names, self.seed_labels
        said = [f"training image {i}" for i in self.finding.evidence.train_index]
        for position, index in enumerate(self.finding.evidence.seed_index):
            source = "" if labels is None else f" from {printable(names[labels[position]], 24)}"
            said.append(f"translated{source}, seed {index}")
        clusters = self.clusters.assignment
        return [f"{text}, cluster {c + 1}" if c >= 0 else text for text, c in zip(said, clusters)]


def bundle(subject: Subject) -> bytes:
    """Writes the selection as a zip file."""
    files = {"selection.csv": table(subject).encode()}
    files |= {f"{name}.png": png(picture) for name, picture in _pictures(subject).items()}
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def table(subject: Subject) -> str:
    """Writes the selected points as CSV; clusters count from 1 and are empty for points left out."""
    evidence, embedding, labels = subject.finding.evidence, subject.embedding, subject.seed_labels
    names, text = subject.record.data.class_names, io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in np.flatnonzero(subject.rows):
        position = int(row) - subject.training_count
        label: int | None
        if position < 0:
            kind, index, label = "training", evidence.train_index[row], subject.finding.label
        else:
            kind, index = "translated", evidence.seed_index[position]
            label = None if labels is None else int(labels[position])
        cluster = int(subject.clusters.assignment[row])
        name = "" if label is None else cell(names[label])
        point = [f"{value:.6g}" for value in embedding.points[row]]
        where = (cluster + 1 if cluster >= 0 else "", f"{embedding.budget:g}", f"{subject.clusters.bandwidth:.6g}")
        writer.writerow((row, kind, index, "" if label is None else label, name, *point, *where))
    return text.getvalue()


def _pictures(subject: Subject) -> dict[str, Picture]:
    palette = subject.palette
    found: dict[str, Picture] = {}
    kinds = {}
    if len(subject.members):
        kinds["translated"] = as_rgb(subject.translated)
        found["mean"] = enlarge(as_rgb(as_8_bit(subject.moved.mean(axis=0)[None]))[0])
    if len(subject.members) and subject.seeds is not None and subject.changes is not None:
        kinds["seed"] = as_rgb(as_8_bit(subject.seeds))
        kinds["difference"] = differences(subject.changes, scale_of(subject.changes), palette)
        found["where-changed"] = enlarge(heat(where_changed(subject.seeds, subject.moved), palette))
    if len(subject.own) and (training := subject.training(subject.own)) is not None:
        kinds["training"] = as_rgb(as_8_bit(training))
    for name, all_of_them in kinds.items():
        for page, start in enumerate(range(0, len(all_of_them), PAGE), 1):
            found[f"{name}-{page}"] = montage(all_of_them[start : start + PAGE], palette)
    return found
