"""Charts of the Scan page; no Streamlit here."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float32

from aegis.models.card import printable
from aegis.ui.palette import Palette
from aegis.ui.scan_watch import Curve

# A small scatter shows the shape of a cloud; more points would only slow the page.
POINTS = 240
# With so many in a row, markers need not be larger.
SIZE = 4


def small_scatter(
    points: Float32[np.ndarray, "p 2"], is_translated: Bool[np.ndarray, " p"], accused: bool, palette: Palette
) -> go.Figure:
    """Training and translated images of one class in the plane, at most ``POINTS`` of each."""
    figure = go.Figure()
    colour = palette.categories[1] if accused else palette.categories[0]
    for rows, name, marker in (
        (_some(~is_translated), "training", {"color": palette.muted, "symbol": "circle-open", "opacity": 0.7}),
        (_some(is_translated), "translated", {"color": colour, "symbol": "circle", "opacity": 0.8}),
    ):
        figure.add_scatter(
            x=points[rows, 0].tolist(),
            y=points[rows, 1].tolist(),
            mode="markers",
            name=name,
            hoverinfo="skip",
            marker={"size": SIZE, **marker},
        )
    figure.update_layout(_plain(150), showlegend=False)
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(visible=False, fixedrange=True, scaleanchor="x")
    return figure


def loss_curve(curve: Curve, palette: Palette) -> go.Figure:
    """The loss of what is done now, by step."""
    figure = go.Figure()
    steps, losses = [step for step, _ in curve], [loss for _, loss in curve]
    figure.add_scatter(x=steps, y=losses, mode="lines", line={"color": palette.categories[0], "width": 2})
    figure.update_layout(_plain(170, l=40, r=8, t=4, b=36), showlegend=False)
    figure.update_xaxes(title={"text": "step", "standoff": 4}, fixedrange=True, gridcolor=palette.line)
    figure.update_yaxes(
        title={"text": "loss", "standoff": 4}, fixedrange=True, gridcolor=palette.line, rangemode="tozero", nticks=4
    )
    return figure


def ladder(epsilons: Sequence[float], accuracies: Sequence[float], accuracy: float, palette: Palette) -> go.Figure:
    """Accuracy under attack by the attack's L2 radius."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0.0, *epsilons],
        y=[accuracy, *accuracies],
        mode="lines+markers",
        line={"color": palette.categories[0], "width": 2},
        hovertemplate="%{y:.0%} right at L2 radius %{x}<extra></extra>",
    )
    figure.update_layout(_plain(190, l=44, r=8, t=8, b=36), showlegend=False)
    figure.update_xaxes(title={"text": "attack (L2 radius)", "standoff": 4}, fixedrange=True, gridcolor=palette.line)
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%", fixedrange=True, gridcolor=palette.line, nticks=5)
    return figure


def plain(text: str, limit: int = 40) -> str:
    """Text from outside as a chart may show it."""
    return html.escape(printable(text, limit)).replace("$", "&#36;")


def _some(mask: np.ndarray) -> np.ndarray:
    rows = np.flatnonzero(mask)
    return rows[:: max(1, -(-len(rows) // POINTS))]


def _plain(height: int, **margin: int) -> dict[str, object]:
    return {
        "height": height,
        "margin": {"l": 2, "r": 2, "t": 2, "b": 2} | margin,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "uirevision": "still",
    }
