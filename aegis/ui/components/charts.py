"""Charts by plotly, with a title and a description for screen readers; no Streamlit here."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# While a scan's thread is still importing pandas, plotly would use it half imported and fail.
# Importing pandas here first waits until it is complete.
import pandas  # noqa: F401
import plotly.graph_objects as go
from jaxtyping import Bool, Float32, Int64

from aegis.core.text import printable
from aegis.core.types import Applicability
from aegis.records.record import ModelRecord
from aegis.ui.components.palette import SYMBOLS, Palette
from aegis.ui.components.svg import Part, cloud

CLEAR, FAINT = 0.9, 0.12
LEGEND = 10
HEIGHT = 430
# Size of the placeholder without title and legend, and of a point in it, in pixels.
ROOM, RADIUS = (580, 330), 3.5


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


def scatter(
    points: Float32[np.ndarray, "p 2"],
    is_translated: Bool[np.ndarray, " p"],
    groups: Sequence[Group],
    selected: Bool[np.ndarray, " p"],
    hover: Sequence[str],
    title: str,
    bandwidth: float,
    palette: Palette,
    drawing: int = 0,
) -> go.Figure:
    """Draws the points of one class; each carries its row, so that a click tells which it was.

    Args:
        points: in the plane.
        is_translated: filled markers for translated images, open ones for training images.
        groups: drawn in this order, which is that of the legend.
        selected: points that stand out; nothing fades when none is selected.
        hover: one text for each point.
        title: of the chart.
        bandwidth: radius of mean shift, drawn as a bar to scale.
        palette: colours.
        drawing: another number makes another chart, which clears plotly's own selection.
    """
    figure = go.Figure()
    texts = [plain(text) for text in hover]
    for group in groups:
        figure.add_trace(_trace(points, is_translated, group, selected, texts, palette))
    for group in groups[:LEGEND]:
        figure.add_trace(_key(group, palette))
    figure.update_layout(
        **_surroundings(title, palette),
        height=HEIGHT,
        # With a selecting drag mode, clicks select nothing.
        dragmode="pan",
        clickmode="event+select",
        meta=[drawing],
        legend={"orientation": "h", "x": 0, "y": 0, "yanchor": "top", "itemsizing": "constant", "itemclick": False,
                "itemdoubleclick": False, "font": {"size": 12}},
        margin={"l": 4, "r": 4, "t": 40, "b": 4},
    )  # fmt: skip
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    _add_bandwidth(figure, points, bandwidth, palette)
    return figure


def placeholder(
    points: Float32[np.ndarray, "p 2"],
    is_translated: Bool[np.ndarray, " p"],
    groups: Sequence[Group],
    palette: Palette,
) -> str:
    """Draws the same points as a picture, shown until the browser has loaded plotly.

    Args:
        points: in the plane.
        is_translated: True for translated images.
        groups: drawn in this order.
        palette: colours.
    """
    parts = []
    for group in groups:
        colour, moved = _colour(group, palette), is_translated[group.rows]
        parts += [Part(group.rows[~moved], colour, filled=False), Part(group.rows[moved], colour, filled=True)]
    return cloud(points, parts, ROOM, RADIUS, "aegis-until", "")


def _trace(
    points: np.ndarray,
    is_translated: np.ndarray,
    group: Group,
    selected: np.ndarray,
    texts: Sequence[str],
    palette: Palette,
) -> go.Scatter:
    rows = group.rows
    symbol = palette.symbol(group.number or 0)
    return go.Scatter(
        x=points[rows, 0].tolist(),
        y=points[rows, 1].tolist(),
        mode="markers",
        name=plain(group.name),
        showlegend=False,
        # A list of lists: the browser does not return two-dimensional arrays unchanged.
        customdata=[[int(row)] for row in rows],
        hovertext=[texts[row] for row in rows],
        hoverinfo="text",
        marker={
            "color": _colour(group, palette),
            "symbol": [symbol if moved else f"{symbol}-open" for moved in is_translated[rows]],
            "size": 7,
            # Not plotly's own selection: it ignores a click with Shift on selected points.
            "opacity": np.where(selected[rows] | (not selected.any()), CLEAR, FAINT).tolist(),
        },
        selected={"marker": {"opacity": CLEAR}},
        unselected={"marker": {"opacity": FAINT}},
    )


def _key(group: Group, palette: Palette) -> go.Scatter:
    # The legend would take the first point's marker, which may be faint.
    return go.Scatter(
        x=[None],
        y=[None],
        mode="markers",
        name=f"{plain(group.name)} ({len(group.rows)})",
        marker={"color": _colour(group, palette), "symbol": palette.symbol(group.number or 0), "size": 8},
    )


def _colour(group: Group, palette: Palette) -> str:
    return palette.muted if group.number is None else palette.colour(group.number)


def _add_bandwidth(figure: go.Figure, points: np.ndarray, bandwidth: float, palette: Palette) -> None:
    left, bottom = points.min(axis=0)
    # Below the lowest point, so that neither hides the other.
    bottom -= 0.06 * float(np.ptp(points[:, 1]))
    figure.add_shape(
        type="line", x0=left, x1=left + bandwidth, y0=bottom, y1=bottom, line={"color": palette.text, "width": 2}
    )
    figure.add_annotation(
        x=left, y=bottom, text=f"bandwidth {bandwidth:.4g}", showarrow=False, xanchor="left", yanchor="bottom",
        font={"size": 11, "color": palette.text},
    )  # fmt: skip


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
