"""Charts of the Scan page; no Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float32

from aegis.core.types import Applicability
from aegis.records.record import ModelRecord
from aegis.ui.components.palette import SYMBOLS, Palette
from aegis.ui.components.plotting import go
from aegis.ui.components.svg_scatter import Part, cloud, svg_source
from aegis.ui.watch import Curve

# A small scatter shows the shape of a cloud; more points would only slow the page.
POINTS = 240
# Size of the picture and of a point in it, in pixels.
ROOM, RADIUS = (200, 150), 2


def small_scatter(
    points: Float32[np.ndarray, "p 2"],
    is_translated: Bool[np.ndarray, " p"],
    flagged: bool,
    described: str,
    palette: Palette,
) -> str:
    """Draw training and translated images of one class in the plane as a picture.

    A page has one for every class; as many charts of plotly's would take it seconds to draw.

    Args:
        points: in the plane; at most ``POINTS`` of each kind are drawn.
        is_translated: True for translated images.
        flagged: whether the class is.
        described: the picture in words, for screen readers.
        palette: colours.

    Returns:
        HTML.
    """
    colour = palette.categories[1] if flagged else palette.categories[0]
    parts = (Part(_some(~is_translated), palette.muted, filled=False), Part(_some(is_translated), colour, filled=True))
    return cloud(points, parts, ROOM, RADIUS, "aegis-small", described)


def draw_score(maxima: Sequence[float], score: float, needed: float, flagged: bool, palette: Palette) -> str:
    """Draw a score on a line from 0 to 1 with those of benign classes; the line is broad from the score that flags.

    Args:
        maxima: scores of benign classes, in [0, 1].
        score: in [0, 1].
        needed: the score that flags, in [0, 1].
        flagged: whether the class is.
        palette: colours.

    Returns:
        HTML.
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
    """Draw the loss by step as a picture; plotly is too slow to redraw it twice a second.

    A picture, since Streamlit takes SVG out of HTML.

    Args:
        curve: of the running step.
        title: of the curve.
        palette: colours.

    Returns:
        HTML.
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


def ladder(models: Mapping[str, Applicability | ModelRecord], palette: Palette) -> go.Figure:
    """Draw accuracy under attack by the attack's L2 radius.

    Args:
        models: measurements by name.
        palette: colours.

    Returns:
        The chart.
    """
    figure = go.Figure()
    for i, (name, model) in enumerate(models.items()):
        figure.add_scatter(
            x=[0.0, *model.epsilons],
            y=[model.accuracy, *model.robust_accuracies],
            name=name,
            mode="lines+markers",
            line={"color": palette.colour(i), "width": 2},
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 7},
            hovertemplate=f"%{{y:.0%}} right at L2 radius %{{x}}<extra>{name if len(models) > 1 else ''}</extra>",
        )
    figure.update_layout(
        height=190,
        margin={"l": 44, "r": 8, "t": 8, "b": 36},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=len(models) > 1,
        legend={"x": 1, "xanchor": "right", "y": 1, "bgcolor": "rgba(0,0,0,0)"},
    )
    figure.update_xaxes(title={"text": "attack (L2 radius)", "standoff": 4}, fixedrange=True, gridcolor=palette.line)
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%", fixedrange=True, gridcolor=palette.line, nticks=5)
    return figure


def _some(mask: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(mask)
    return rows[:: max(1, -(-len(rows) // POINTS))]
