"""The points of one class in the plane beside their pictures."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Bool, Int64

from aegis.core.text import count_of, label_with_name, printable
from aegis.ui.components import charts
from aegis.ui.inspect.budget import Grouping
from aegis.ui.inspect.clusters import summarise
from aegis.ui.inspect.gallery import show_gallery
from aegis.ui.inspect.scatter import scatter, sheet, show_scatter
from aegis.ui.inspect.strip import strip
from aegis.ui.inspect.subject import Subject


def show_plane(subject: Subject, grouping: Grouping, alone: bool, colour: str) -> str:
    """Shows scatter and gallery; gives what the gallery shows."""
    embedding = subject.embedding
    groups = group(subject, grouping, embedding.is_translated | (not alone), colour)
    summaries = summarise(subject, grouping.shown)
    left, right = st.columns([6, 5], gap="medium")
    with left:
        _draw(subject, grouping, groups, strip(subject, summaries, grouping.colours, colour == "cluster"))
        shapes = (
            ""
            if alone or not subject.training_count
            else " Filled: translated images. Open: the class's own training images."
        )
        st.caption(
            "Click a point to select its cluster; with Shift, to add or remove one; or draw a box or a lasso. Two "
            f"clusters are shown side by side.{shapes}"
        )
    with right:
        show = show_gallery(subject, summaries, grouping.colours)
    return show


def _draw(subject: Subject, grouping: Grouping, groups: list[charts.Group], clusters: dict[str, Any]) -> None:
    embedding = subject.embedding
    name = printable(subject.name, 40)
    what = count_of(grouping.shown.count, "cluster") + ("" if subject.training_count else " of changes")
    title = f"Class {label_with_name(subject.finding.label, name)}: {what}"
    space = "features" if subject.training_count else "changes"
    bandwidth, chosen = grouping.shown.bandwidth, subject.selected
    plane = hashlib.sha256(embedding.points.tobytes()).hexdigest()
    content = scatter(
        embedding,
        groups,
        chosen,
        subject.hover(),
        clusters,
        plane=plane,
        title=title,
        alt=charts.describe_scatter(name, groups, int(chosen.sum()), bandwidth, space),
        bandwidth=bandwidth,
        palette=subject.palette,
    )
    show_scatter(content, sheet(plane, subject.every_picture))


def group(subject: Subject, grouping: Grouping, visible: Bool[np.ndarray, " p"], colour: str) -> list[charts.Group]:
    """Groups the visible points by colour.

    Args:
        subject: the class.
        grouping: clusters and their colours.
        visible: which points are shown.
        colour: *cluster* or *class*; anything else tells only training images from translated ones.

    Returns:
        Groups in the order of the legend.
    """
    translated = subject.embedding.is_translated
    if colour == "cluster":
        assignment = grouping.shown.assignment
        members = [np.flatnonzero((assignment == c) & visible) for c in range(grouping.shown.count)]
        return [charts.Group(f"cluster {c + 1}", rows, grouping.colours[c]) for c, rows in enumerate(members)]
    training = charts.Group("training", np.flatnonzero(~translated & visible), None if colour == "class" else 1)
    if colour == "class" and subject.seed_labels is not None:
        labels: Int64[np.ndarray, " n"] = subject.seed_labels
        names, rows = subject.record.data.class_names, np.flatnonzero(translated)
        found = [
            charts.Group(f"from {printable(names[label], 24)}", rows[labels == label], int(label))
            for label in np.unique(labels)
        ]
    else:
        found = [charts.Group("translated", np.flatnonzero(translated), 0)]
    return [*found, *([training] if len(training.rows) else [])]
