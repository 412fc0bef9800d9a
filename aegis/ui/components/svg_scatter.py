"""Draws points as a picture, where a chart to click would take too long; no Streamlit here."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64


@dataclass(frozen=True, eq=False)
class Part:
    """Points that are drawn alike.

    Args:
        rows: positions among the points.
        colour: as SVG has it.
        filled: draw discs instead of circles.
    """

    rows: Int64[np.ndarray, " k"]
    colour: str
    filled: bool


def cloud(
    points: Float32[np.ndarray, "p 2"],
    parts: Sequence[Part],
    room: tuple[int, int],
    radius: float,
    name: str,
    described: str,
) -> str:
    """Draw points as an SVG picture, at one scale in both directions.

    Args:
        points: in the plane; the picture has room for all of them, drawn or not.
        parts: drawn in this order.
        room: width and height of the picture in pixels.
        radius: of a point, in pixels.
        name: of the HTML class, for styles.
        described: the picture in words, for screen readers.

    Returns:
        An HTML image element.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    scale = float(((np.array(room) - 4 * radius) / np.maximum(high - low, 1e-6)).min())
    x, y = ((points - (low + high) / 2) * (scale, -scale) + np.array(room) / 2).T.tolist()
    drawn = "".join(
        f"<g {_paint(part)}>"
        + "".join(f'<circle cx="{x[i]:.1f}" cy="{y[i]:.1f}" r="{radius}"/>' for i in part.rows.tolist())
        + "</g>"
        for part in parts
    )
    picture = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {room[0]} {room[1]}">{drawn}</svg>'
    style = f"width:100%;height:{room[1]}px;display:block"
    return f'<img class="{name}" style="{style}" src="{svg_source(picture)}" alt="{html.escape(described)}">'


def svg_source(picture: str) -> str:
    """Encode an SVG picture as a data URL, since Streamlit removes SVG from HTML.

    Args:
        picture: the SVG.

    Returns:
        The URL.
    """
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"


def _paint(part: Part) -> str:
    if part.filled:
        return f'fill="{part.colour}" fill-opacity="0.8"'
    return f'fill="none" stroke="{part.colour}" stroke-opacity="0.7"'
