"""The scatter of one class: what the browser draws, and what it tells of clicks, boxes and lassos.

It is no chart of plotly's, which Streamlit makes anew with every change of the figure, so that zoom, tool and full
screen would be lost at each click.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Bool, Float32, Int64

from aegis.core.text import printable
from aegis.core.types import Embedding
from aegis.ui.components.charts import LEGEND, Group
from aegis.ui.components.palette import Palette
from aegis.ui.components.pictures import Pictures, photograph, shrunk
from aegis.ui.inspect import state

HERE = Path(__file__).parent
HOVER = 120
# Pixels of a picture beside the pointer, pictures in a row of their sheet, and values of the largest sheet.
THUMB, ACROSS, LARGEST = 48, 32, 3 * 2**23
_KEEP = "export default function ({ data }) { window.aegisPictures = data; }"


def show_scatter(content: dict[str, Any], pictures: dict[str, Any] | None) -> None:
    """Shows the scatter and takes what is picked in it, before the page is drawn the next time.

    Args:
        content: from ``scatter``.
        pictures: from ``sheet``, which the browser shows beside the pointer; or None.
    """
    if pictures is not None:
        st.components.v2.component("aegis_pictures", js=_KEEP)(key=f"{state.CHART}-pictures", data=pictures, height=0)
    # One module: the strip uses what the scatter defines.
    script = _read("strip.js") + _read("scatter.js")
    chart = st.components.v2.component("aegis_scatter", js=script, css=_read("scatter.css") + _read("strip.css"))
    chart(key=state.CHART, data=content, on_picked_change=state.take_picked)


def scatter(
    embedding: Embedding,
    groups: Sequence[Group],
    selected: Bool[np.ndarray, " p"],
    hover: Sequence[str],
    clusters: Mapping[str, Any],
    *,
    plane: str,
    title: str,
    alt: str,
    bandwidth: float,
    palette: Palette,
) -> dict[str, Any]:
    """Describes the points of one class to the browser, which takes all text as it is.

    Args:
        embedding: points in the plane; translated images are drawn filled, training images open.
        groups: drawn in this order, which is that of the legend; other points are not drawn.
        selected: points that stand out; nothing fades when none is selected.
        hover: one text for each point.
        clusters: the strip above, from ``strip``.
        plane: another one shows all points, and the same keeps the zoom.
        title: of the chart.
        alt: the chart in words, for screen readers.
        bandwidth: radius of mean shift, drawn as a bar to scale.
        palette: colours.
    """
    points: Float32[np.ndarray, "p 2"] = embedding.points
    return {
        "plane": plane,
        "title": title,
        "alt": alt,
        "points": np.round(points, 4).tolist(),
        "bounds": {"low": points.min(axis=0).tolist(), "high": points.max(axis=0).tolist()},
        "filled": embedding.is_translated.tolist(),
        "selected": _rows(selected),
        "hover": [printable(text, HOVER) for text in hover],
        "groups": [_group(one, palette) for one in groups],
        "strip": dict(clusters),
        "legend": LEGEND,
        "bandwidth": bandwidth,
        "said": f"bandwidth {bandwidth:.4g}",
        "text": palette.text,
        "muted": palette.muted,
        "line": palette.line,
        "background": palette.background,
    }


@st.cache_data(max_entries=8, show_spinner=False)
def sheet(plane: str, _every: Callable[[], tuple[int, Pictures]]) -> dict[str, Any] | None:
    """Puts the pictures of all points on one sheet, for the browser.

    Args:
        plane: of the scatter, by which the sheet is cached.
        _every: gives the row of the first picture, and the pictures from that row on.

    Returns:
        The sheet; None where it would be too large.
    """
    first, pictures = _every()
    tiles = np.stack([shrunk(picture, THUMB) for picture in pictures])
    count, height, width = tiles.shape[:3]
    if tiles.size > LARGEST:
        return None
    empty = np.zeros((-count % ACROSS, height, width, 3), np.uint8)
    grid = np.concatenate([tiles, empty]).reshape(-1, ACROSS, height, width, 3)
    whole = grid.swapaxes(1, 2).reshape(-1, ACROSS * width, 3)
    about = {"plane": plane, "first": first, "count": count, "size": [width, height], "columns": ACROSS}
    return about | {"source": photograph(whole)}


def _group(group: Group, palette: Palette) -> dict[str, Any]:
    muted = group.number is None
    return {
        "name": printable(group.name, HOVER),
        "rows": group.rows.tolist(),
        "colour": palette.muted if muted else palette.colour(group.number or 0),
        "symbol": palette.symbol(group.number or 0),
    }


def _rows(selected: Bool[np.ndarray, " p"]) -> list[int]:
    rows: Int64[np.ndarray, " k"] = np.flatnonzero(selected)
    chosen: list[int] = rows.tolist()
    return chosen


@cache
def _read(name: str) -> str:
    return (HERE / name).read_text()
