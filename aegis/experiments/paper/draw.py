"""Draws any figure; without pyplot, whose state threads would share."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Sheet

from aegis.experiments.paper.figure import Bars, Figure, Panel, Pictures, Points
from aegis.report.figures import DPI, INK, PALETTE, REST, RULE, colour_of

ENDINGS = (".png", ".svg")
# Of a panel, in inches.
WIDTH, HEIGHT = 3.4, 2.6
# What tells the time or the version of the library would differ from one run to the next.
PLAIN = {".png": {"Software": None}, ".svg": {"Date": None, "Creator": None}}


def draw(figure: Figure, ending: str) -> bytes:
    """Draws a figure.

    Args:
        figure: the figure.
        ending: one of ``ENDINGS``.

    Returns:
        The file; the same figure gives the same bytes.
    """
    columns = min(figure.columns, len(figure.panels))
    rows, file = -(-len(figure.panels) // columns), io.BytesIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams["svg.hashsalt"] = "aegis"
        sheet = Sheet(figsize=(WIDTH * columns, HEIGHT * rows), dpi=DPI, layout="constrained")
        sheet.suptitle(f"Figure {figure.number}. {figure.title}", fontsize=10, wrap=True)
        grid = sheet.subplots(rows, columns, squeeze=False).flatten().tolist()
        for axes in grid[len(figure.panels) :]:
            axes.set_visible(False)
        for axes, panel in zip(grid, figure.panels):
            _draw(axes, panel)
        sheet.savefig(file, format=ending.removeprefix("."), metadata=PLAIN[ending])
    return file.getvalue()


def ending_of(path: Path) -> str:
    """Gives the ending of a file in small letters."""
    return path.suffix.lower()


def _draw(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title, fontsize=8)
    if isinstance(panel, Bars):
        _bars(axes, panel)
    elif isinstance(panel, Points):
        _points(axes, panel)
    else:
        _picture(axes, panel)


def _bars(axes: Axes, panel: Bars) -> None:
    labels = range(len(panel.values))
    colours = [PALETTE[1] if label == panel.target else PALETTE[0] for label in labels]
    axes.bar(labels, [np.nan if value is None else value for value in panel.values], color=colours)
    axes.axhline(0, color=INK, linewidth=0.6)
    if panel.line is not None:
        axes.axhline(panel.line, color=REST, linewidth=0.8, linestyle="--")
    axes.set_xticks(list(labels))
    axes.set_xlabel("class", fontsize=8)
    axes.set_ylabel(panel.axis, fontsize=8)
    axes.tick_params(labelsize=7, length=2)


def _points(axes: Axes, panel: Points) -> None:
    points, translated = panel.embedding.points, panel.embedding.is_translated
    if panel.clusters is None:
        for chosen, colour, name in ((~translated, PALETTE[0], "training"), (translated, PALETTE[1], "translated")):
            axes.scatter(points[chosen, 0], points[chosen, 1], s=5, color=colour, linewidths=0, label=name)
        axes.legend(fontsize=6, frameon=False)
    else:
        for cluster in range(panel.clusters.count):
            x, y = points[panel.clusters.assignment == cluster].T
            axes.scatter(x, y, s=5, color=colour_of(cluster), linewidths=0)
    _bare(axes)


def _picture(axes: Axes, panel: Pictures) -> None:
    axes.imshow(panel.picture, interpolation="nearest")
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=RULE, linewidth=0.8)
