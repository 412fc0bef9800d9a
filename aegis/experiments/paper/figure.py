"""A figure as data: panels of bars, points or pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from aegis.core.types import Clusters, Embedding


@dataclass(frozen=True)
class Bars:
    """A bar for each class.

    Args:
        title: over the panel.
        values: by label; None for classes without one.
        axis: what the values are.
        target: the class whose bar stands out, or None.
        line: the value above which a class is flagged, or None.
    """

    title: str
    values: tuple[float | None, ...]
    axis: str
    target: int | None = None
    line: float | None = None


@dataclass(frozen=True, eq=False)
class Points:
    """An embedding of training and translated images.

    Args:
        title: over the panel.
        embedding: the points.
        clusters: clusters that colour them; None to tell training from translated images alone.
    """

    title: str
    embedding: Embedding
    clusters: Clusters | None


@dataclass(frozen=True, eq=False)
class Pictures:
    """A picture.

    Args:
        title: over the panel.
        picture: the picture.
    """

    title: str
    picture: UInt8[np.ndarray, "h w 3"]


Panel = Bars | Points | Pictures


@dataclass(frozen=True)
class Figure:
    """A figure of the paper with what is recorded here.

    Args:
        number: its number in the paper.
        title: what it shows.
        panels: at least one.
        columns: panels in a row.
        remarks: sentences about it, such as what is missing.
    """

    number: str
    title: str
    panels: tuple[Panel, ...]
    columns: int = 2
    remarks: tuple[str, ...] = ()
