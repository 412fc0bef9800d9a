"""Charts. They are drawn without pyplot, whose state threads would share, and without class names, for which fonts may
lack characters.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib
import numpy as np
from jaxtyping import Bool, Float32
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from aegis.core.text import count_of
from aegis.core.types import Clusters, Embedding, Finding

# After Okabe and Ito, as in the dashboard; clusters beyond the palette share a grey and keep their numbers.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
REST = "#8a94a1"
INK, RULE = "#16202c", "#d5dde7"
SCATTER = "Each point is an image as the model sees it. Numbers and colours are mean-shift clusters, the largest first."
DPI = 200
COLUMNS = 3
# Width of a heat map with its scale, in inches.
HEAT = 2.25


def colour_of(cluster: int) -> str:
    """Chooses the colour of a cluster.

    Args:
        cluster: its number, from 0.

    Returns:
        A colour that matplotlib knows.
    """
    return PALETTE[cluster] if cluster < len(PALETTE) else REST


def scatters(finding: Finding) -> io.BytesIO:
    """Draws the embedding of a class at every budget, coloured by cluster.

    Args:
        finding: of the class.

    Returns:
        A PNG file.
    """
    count = len(finding.embeddings)
    with _figure(count, 2.75) as (figure, panels, file):
        for axes, embedding, clusters in zip(panels, finding.embeddings, finding.clusters, strict=True):
            _scatter(axes, embedding, clusters)
        handles = [
            axes.scatter([], [], marker=marker, c=face, edgecolors=INK, linewidths=0.6, s=22, label=label)
            for marker, face, label in (("o", "none", "training image"), ("^", INK, "translated image"))
        ]
        figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return file


def heat_maps(
    maps: Sequence[Float32[np.ndarray, "h w"]], budgets: Sequence[float], outlined: Bool[np.ndarray, "h w"] | None
) -> io.BytesIO:
    """Draws how much translation changed each pixel, at every budget.

    Args:
        maps: mean absolute changes, one map per budget.
        budgets: L2 radii.
        outlined: pixels to outline, or None.

    Returns:
        A PNG file.
    """
    with _figure(len(maps), 2.0, HEAT * min(len(maps), COLUMNS)) as (figure, panels, file):
        for axes, values, budget in zip(panels, maps, budgets, strict=True):
            shown = axes.imshow(values, cmap="magma", vmin=0, interpolation="nearest")
            axes.set_title(f"L2 budget {budget:g}", fontsize=9)
            bar = figure.colorbar(shown, ax=axes, fraction=0.05, pad=0.03)
            bar.ax.tick_params(labelsize=7, length=2)
            bar.outline.set_visible(False)
            _bare(axes)
            for y, x in [] if outlined is None else np.argwhere(outlined):
                axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=PALETTE[5], linewidth=0.7))
    return file


def against_benign(benign: Sequence[float], score: float, needed: float, flagged: bool) -> io.BytesIO:
    """Draws a score on a line from 0 to 1 with those of benign classes.

    Args:
        benign: scores of benign classes, in [0, 1].
        score: in [0, 1].
        needed: the score that flags, in [0, 1].
        flagged: whether the class is.

    Returns:
        A PNG file.
    """
    with _figure(1, 0.55, 3.6) as (_, panels, file):
        (axes,) = panels
        axes.axvspan(needed, 1.01, color=RULE, alpha=0.6, linewidth=0)
        axes.scatter(benign, np.zeros(len(benign)), s=14, c=REST, alpha=0.7, linewidths=0, clip_on=False)
        axes.scatter([score], [0], marker="D", s=34, c=PALETTE[1 if flagged else 0], clip_on=False, zorder=3)
        axes.set_xlim(-0.01, 1.01)
        axes.set_ylim(-1, 1)
        axes.set_yticks([])
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"], fontsize=7)
        axes.tick_params(length=2)
        for side in ("left", "right", "top"):
            axes.spines[side].set_visible(False)
    return file


def _scatter(axes: Axes, embedding: Embedding, clusters: Clusters) -> None:
    points, assignment = embedding.points, clusters.assignment
    for cluster in range(clusters.count):
        colour, members = colour_of(cluster), assignment == cluster
        for marker, chosen, face in (("o", ~embedding.is_translated, "none"), ("^", embedding.is_translated, colour)):
            x, y = points[members & chosen].T
            axes.scatter(x, y, marker=marker, s=11, facecolors=face, edgecolors=colour, linewidths=0.6)
    for cluster in range(clusters.count):
        x, y = np.median(points[assignment == cluster], axis=0)
        halo = [patheffects.withStroke(linewidth=2.5, foreground="white")]
        axes.text(
            x, y, str(cluster + 1), color=INK, size=12, weight="bold", ha="center", va="center", path_effects=halo
        )
    axes.set_title(f"L2 budget {embedding.budget:g}: {count_of(clusters.count, 'cluster')}", fontsize=9)
    axes.set_aspect("equal", adjustable="datalim")
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(color=RULE, linewidth=0.8)


@contextmanager
def _figure(count: int, height: float, width: float = 6.85) -> Iterator[tuple[Figure, list[Axes], io.BytesIO]]:
    """Panels in rows of three, in inches, written to the file in the end; settings of the user's play no part."""
    rows, columns = -(-count // COLUMNS), min(count, COLUMNS)
    file = io.BytesIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        figure = Figure(figsize=(width, height * rows), dpi=DPI, layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
        for unused in grid[count:]:
            unused.set_visible(False)
        yield figure, grid[:count], file
        figure.savefig(file, format="png", metadata={"Software": None})
    file.seek(0)
