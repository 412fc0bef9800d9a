"""A selection as files: points as CSV, pictures as PNG, in one zip; no Streamlit here."""

from __future__ import annotations

import csv
import io
import zipfile

import numpy as np

from aegis.core.text import cell
from aegis.core.types import as_8_bit
from aegis.records.pictures import as_rgb, where_changed
from aegis.ui.components.gallery import PAGE, Picture, differences, enlarge, heat, montage, png, scale_of
from aegis.ui.inspect.subject import Subject

COLUMNS = ("row", "kind", "training_index", "label", "class", "x", "y", "cluster", "budget", "bandwidth")
# A fixed time, so that the same selection is the same file.
EPOCH = (1980, 1, 1, 0, 0, 0)


def bundle(subject: Subject) -> bytes:
    """Write the selection as a zip file.

    Args:
        subject: the class with its selection.

    Returns:
        The file's content.
    """
    files = {"selection.csv": table(subject).encode()}
    files |= {f"{name}.png": png(picture) for name, picture in _pictures(subject).items()}
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


def table(subject: Subject) -> str:
    """Write the selected points as CSV; clusters count from 1 and are empty for points left out.

    Args:
        subject: the class with its selection.

    Returns:
        The text.
    """
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
