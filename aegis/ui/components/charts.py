"""Charts by plotly, with a title and a description for screen readers; no Streamlit here."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

# While a scan's thread is still importing pandas, plotly would use it half imported and fail.
# Importing pandas here first waits until it is complete.
import pandas  # noqa: F401
import plotly.graph_objects as go
from jaxtyping import Int64

from aegis.core.text import printable
from aegis.core.types import Applicability
from aegis.records.record import ModelRecord
from aegis.ui.components.palette import SYMBOLS, Palette

if TYPE_CHECKING:
    from aegis.lab.measure import Milestone

LEGEND = 10


@dataclass(frozen=True, eq=False)
class Group:
    """Points that share a colour.

    Args:
        name: for the legend, as it is; markup in it is escaped.
        rows: which points.
        number: of its colour and symbol; None for muted.
    """

    name: str
    rows: Int64[np.ndarray, " k"]
    number: int | None


def bars(
    names: Sequence[str],
    rates: dict[str, Sequence[float]],
    title: str,
    palette: Palette,
) -> go.Figure:
    """Draws shares by class, one bar of each kind for a class.

    Args:
        names: of the classes.
        rates: by kind, one share in [0, 1] for each class; NaN leaves a bar out.
        title: of the chart.
        palette: colours.
    """
    figure = go.Figure()
    labels = [plain(printable(name, 24)) for name in names]
    for i, (kind, values) in enumerate(rates.items()):
        figure.add_trace(
            go.Bar(
                # Positions, since two classes may have one name.
                x=list(range(len(labels))),
                y=[None if np.isnan(value) else float(value) for value in values],
                name=plain(kind),
                marker={"color": palette.colour(i), "pattern": {"shape": "/" if i else ""}},
                hovertext=[f"{label}: {value:.0%}" for label, value in zip(labels, values)],
                hoverinfo="text",
            )
        )
    figure.update_layout(
        **_surroundings(title, palette),
        height=300,
        barmode="group",
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
        margin={"l": 4, "r": 4, "t": 56, "b": 4},
    )
    figure.update_xaxes(tickvals=list(range(len(labels))), ticktext=labels, fixedrange=True, automargin=True)
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%", gridcolor=palette.line, fixedrange=True, automargin=True)
    return figure


def describe_scatter(
    name: str, groups: Sequence[Group], selected: int, bandwidth: float, space: str = "features"
) -> str:
    """Describes a scatter plot in words, for screen readers.

    Args:
        name: of the class.
        groups: that are drawn.
        selected: number of selected points.
        bandwidth: radius of mean shift.
        space: what the points are embedded by, in words.
    """
    sizes = ", ".join(f"{group.name}: {len(group.rows)}" for group in groups[:LEGEND])
    total = sum(len(group.rows) for group in groups)
    chosen = f" {selected} of them are selected." if selected else ""
    return (
        f"Scatter plot of {total} images of class {name} by their {space}, at bandwidth {bandwidth:.4g}. "
        f"{sizes}.{chosen}"
    )


def describe_bars(names: Sequence[str], rates: dict[str, Sequence[float]]) -> str:
    """Describes bars in words, for screen readers.

    Args:
        names: of the classes.
        rates: by kind, one share in [0, 1] for each class.
    """
    parts = []
    for kind, values in rates.items():
        shown = [f"{name} {value:.0%}" for name, value in zip(names, values) if not np.isnan(value)]
        parts.append(f"{kind}: {', '.join(shown)}")
    return f"Bar chart of attack success rates by source class. {'. '.join(parts)}."


def plain(text: str) -> str:
    """Escapes text for charts, which parse a little HTML."""
    return html.escape(printable(text, 120))


def _surroundings(title: str, palette: Palette) -> dict[str, object]:
    return {
        "title": {"text": plain(title), "x": 0, "xanchor": "left", "font": {"size": 16, "color": palette.text}},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": palette.text, "family": "Source Sans, Source Sans Pro, sans-serif"},
        "hoverlabel": {"align": "left"},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": palette.muted, "activecolor": palette.text},
    }


def learning_curves(milestones: Sequence[Milestone], palette: Palette) -> go.Figure:
    """Draws accuracy and attack success rate after each epoch of a training.

    Args:
        milestones: what was measured, in order.
        palette: colours.
    """
    rates: dict[str, list[float | None]] = {
        "accuracy": [one.accuracy for one in milestones],
        "attack success": [one.success for one in milestones],
    }
    figure = go.Figure()
    for i, (name, values) in enumerate(rates.items()):
        if values[0] is not None:
            figure.add_scatter(
                x=[one.epoch for one in milestones],
                y=values,
                name=name,
                mode="lines+markers",
                line={"color": palette.colour(i), "width": 2},
                marker={"symbol": SYMBOLS[i], "size": 7},
                hovertemplate="%{y:.0%} after epoch %{x}<extra></extra>",
            )
    _shape_curves(figure, palette, "epoch", is_named=True)
    figure.update_xaxes(range=[0.5, milestones[0].epochs + 0.5], dtick=max(1, milestones[0].epochs // 10))
    return figure


def ladder(models: Mapping[str, Applicability | ModelRecord], palette: Palette) -> go.Figure:
    """Draws accuracy under attack by the attack's L2 radius.

    Args:
        models: measurements by name.
        palette: colours.
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
    _shape_curves(figure, palette, "attack (L2 radius)", is_named=len(models) > 1)
    return figure


def _shape_curves(figure: go.Figure, palette: Palette, across: str, is_named: bool) -> None:
    """Gives a chart of shares its axes: what runs across, and shares up to 100%."""
    figure.update_layout(
        height=190,
        margin={"l": 44, "r": 8, "t": 28 if is_named else 8, "b": 36},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=is_named,
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.02, "yanchor": "bottom"},
    )
    figure.update_xaxes(title={"text": across, "standoff": 4}, fixedrange=True, gridcolor=palette.line)
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%", fixedrange=True, gridcolor=palette.line, nticks=5)
