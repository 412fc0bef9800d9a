"""Charts drawn as pictures, where one of plotly's would take too long; no Streamlit here."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

from aegis.ui.components.palette import Palette
from aegis.ui.watch import Curve

# A small scatter shows the shape of a cloud; more points would only slow the page.
POINTS = 240
# Size of the picture and of a point in it, in pixels.
ROOM, RADIUS = (200, 150), 2


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
    """Draws points as an SVG picture, at one scale in both directions.

    Args:
        points: in the plane; the picture has room for all of them, drawn or not.
        parts: drawn in this order.
        room: width and height of the picture in pixels.
        radius: of a point, in pixels.
        name: of the HTML class, for styles.
        described: the picture in words, for screen readers.
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
    """Encodes an SVG picture as a data URL, since Streamlit removes SVG from HTML."""
    return f"data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}"


def _paint(part: Part) -> str:
    if part.filled:
        return f'fill="{part.colour}" fill-opacity="0.8"'
    return f'fill="none" stroke="{part.colour}" stroke-opacity="0.7"'


def small_scatter(
    points: Float32[np.ndarray, "p 2"],
    is_translated: Bool[np.ndarray, " p"],
    flagged: bool,
    described: str,
    palette: Palette,
    room: tuple[int, int] = ROOM,
) -> str:
    """Draws training and translated images of one class in the plane as a picture.

    A page has one for every class; as many charts of plotly's would take it seconds to draw.

    Args:
        points: in the plane; at most ``POINTS`` of each kind are drawn.
        is_translated: True for translated images.
        flagged: whether the class is.
        described: the picture in words, for screen readers.
        palette: colours.
        room: width and height of the picture in pixels.
    """
    colour = palette.categories[1] if flagged else palette.categories[0]
    parts = (Part(_some(~is_translated), palette.muted, filled=False), Part(_some(is_translated), colour, filled=True))
    return cloud(points, parts, room, RADIUS, "aegis-small", described)


def draw_score(maxima: Sequence[float], score: float, needed: float, flagged: bool, palette: Palette) -> str:
    """Draws a score on a line from 0 to 1 with those of benign classes; the line is broad from the score that flags.

    Args:
        maxima: scores of benign classes, in [0, 1].
        score: in [0, 1].
        needed: the score that flags, in [0, 1].
        flagged: whether the class is.
        palette: colours.
    """
    colour = palette.categories[1] if flagged else palette.categories[0]
    dots = "".join(
        f'<circle cx="{10 + 300 * m:.1f}" cy="12" r="4" fill="{palette.muted}" opacity=".6"/>' for m in maxima
    )
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 24">'
        f'<line x1="10" y1="12" x2="310" y2="12" stroke="{palette.line}" stroke-width="2"/>'
        f'<line x1="{10 + 300 * needed:.1f}" y1="12" x2="310" y2="12" stroke="{palette.line}" stroke-width="12"/>'
        f'{dots}<path d="M{10 + 300 * score:.1f} 3l8 9l-8 9l-8 -9z" fill="{colour}"/></svg>'
    )
    described = f"Score {score:.0%}; benign classes reach {max(maxima):.0%}; {needed:.0%} and more is flagged"
    return f'<img class="aegis-line" src="{svg_source(picture)}" alt="{described}">'


def loss_curve(curve: Curve, title: str, palette: Palette) -> str:
    """Draws the loss by step as a picture; plotly is too slow to redraw it twice a second.

    A picture, since Streamlit takes SVG out of HTML.

    Args:
        curve: of the running step.
        title: of the curve.
        palette: colours.
    """
    first, last = curve[0][0], max(curve[-1][0], curve[0][0] + 1)
    highest = max(max(loss for _, loss in curve), 1e-9)
    across = [300 * (step - first) / (last - first) for step, _ in curve]
    down = [4 + 72 * (1 - max(loss, 0.0) / highest) for _, loss in curve]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, down))
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 80" preserveAspectRatio="none">'
        f'<line x1="0" y1="78" x2="300" y2="78" stroke="{palette.line}" vector-effect="non-scaling-stroke"/>'
        f'<polyline points="{points}" fill="none" stroke="{palette.categories[0]}" stroke-width="2" '
        'stroke-linejoin="round" vector-effect="non-scaling-stroke"/></svg>'
    )
    described = f"{title}: from {curve[0][1]:.3g} to {curve[-1][1]:.3g}"
    return (
        f'<div class="aegis-loss"><div><span>{title}</span><span>{curve[-1][1]:.3g}</span></div>'
        f'<img src="{svg_source(picture)}" alt="{described}"></div>'
    )


def _some(mask: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(mask)
    return rows[:: max(1, -(-len(rows) // POINTS))]
