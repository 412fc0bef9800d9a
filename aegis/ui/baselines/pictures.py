"""Bars by class with a threshold, as in the paper's Fig. 12, and triggers side by side; no Streamlit here."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from aegis.baselines.result import DetectorResult
from aegis.core.text import numbered
from aegis.records.detectors import DetectorRecord
from aegis.ui.components.palette import Palette
from aegis.ui.components.pictures import EMPTY, address, as_picture
from aegis.ui.components.svg import svg_source

# Size of the drawing, and the room around the bars, in units of its view box.
WIDTH, HEIGHT = 520, 190
LEFT, TOP, BOTTOM = 42, 14, 22
# Classes whose labels are written below their bars.
LABELLED = 24
# Beyond the others, an endless bar shows as this much longer.
ENDLESS = 1.2


def heights(one: DetectorRecord) -> tuple[tuple[float | None, ...], float | None]:
    """Chooses what bars show: anomaly indices as the paper does, otherwise scores.

    Args:
        one: what a detector says.

    Returns:
        A number by class, and the threshold in its unit; None where there is none.
    """
    if one.measure == "anomaly index":
        return one.values, one.cut
    return one.scores, one.threshold


def draw_bars(one: DetectorRecord, names: Sequence[str], palette: Palette) -> str:
    """Draws a bar for each class and a line at the threshold.

    Args:
        one: what a detector says.
        names: of the classes.
        palette: colours.

    Returns:
        An image element with a description.
    """
    values, threshold = heights(one)
    low, high, shown = _range(values, threshold)
    across, scale = (WIDTH - LEFT) / max(len(values), 1), (HEIGHT - TOP - BOTTOM) / (high - low)

    def y(value: float) -> float:
        return TOP + (high - value) * scale

    parts = [f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y(0):.1f}" y2="{y(0):.1f}" stroke="{palette.line}"/>']
    for label, value in enumerate(shown):
        flagged = label in one.flagged_classes
        left, colour = LEFT + label * across, palette.categories[1] if flagged else palette.muted
        top, bottom = sorted((y(value or 0), y(0)))
        parts.append(
            f'<rect x="{left + 0.15 * across:.1f}" y="{top:.1f}" width="{0.7 * across:.1f}" '
            f'height="{max(bottom - top, 1):.1f}" rx="2" fill="{colour}"/>'
        )
        if len(values) <= LABELLED:
            parts.append(_text(left + across / 2, HEIGHT - 6, str(label), palette, "middle", flagged))
    if threshold is not None:
        at = y(threshold)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH}" y1="{at:.1f}" y2="{at:.1f}" stroke="{palette.text}" '
            'stroke-dasharray="5 4"/>' + _text(LEFT - 4, at + 4, f"{threshold:.3g}", palette, "end")
        )
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
        f"{''.join(parts)}</svg>"
    )
    return f'<img class="aegis-bars" src="{svg_source(picture)}" alt="{html.escape(describe_bars(one, names))}">'


def describe_bars(one: DetectorRecord, names: Sequence[str]) -> str:
    """Describes the bars in words, for screen readers.

    Args:
        one: what a detector says.
        names: of the classes.
    """
    values, threshold = heights(one)
    said = ", ".join(f"{numbered(k, names[k], 24)} {v:.3g}" for k, v in enumerate(values) if v is not None)
    line = "" if threshold is None else f" A class is flagged beyond {threshold:.3g}."
    what = "anomaly index" if one.measure == "anomaly index" else one.statistic
    return f"Bar chart of {one.title}, {what} by class: {said}.{line}"


def reversed_trigger(result: DetectorResult, label: int) -> Float32[np.ndarray, "c h w"]:
    """Draws what a detector reverse-engineered for a class.

    Args:
        result: of the detector.
        label: the class.

    Returns:
        The pattern on grey through its mask, which is scaled to reach 1, or the pattern alone where there is no mask;
        in [0, 1].
    """
    pattern = result.patterns[label]
    if result.masks is None:
        return np.asarray(pattern)
    # Changes by PGD are small everywhere; what counts is where they are largest.
    mask = result.masks[label] / max(float(result.masks[label].max()), 1e-6)
    blended: np.ndarray = np.clip(mask * pattern + (1 - mask) * EMPTY, 0, 1).astype(np.float32)
    return blended


def figures(pictures: Sequence[tuple[str, Float32[np.ndarray, "c h w"]]]) -> str:
    """Puts pictures side by side, each over its caption.

    Args:
        pictures: captions and images in [0, 1].
    """
    parts = [
        f'<figure><img src="{address(as_picture(image, 160))}" alt="{html.escape(caption)}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for caption, image in pictures
    ]
    return f'<div class="aegis-rivals">{"".join(parts)}</div>'


def _range(values: Sequence[float | None], threshold: float | None) -> tuple[float, float, tuple[float | None, ...]]:
    """The lowest and highest number to show, and the values with endless ones cut off."""
    known = [v for v in (*values, threshold) if v is not None and math.isfinite(v)] or [1.0]
    low, high = min(0.0, *known), max(0.0, *known)
    high = high if high > low else low + 1
    reach = ENDLESS * (high - low)
    shown = tuple(None if v is None else min(max(v, low - reach), low + reach) for v in values)
    if any(v is not None and math.isinf(v) for v in values):
        high = max([high, *(v for v in shown if v is not None)])
        low = min([low, *(v for v in shown if v is not None)])
    return low, high, shown


def _text(x: float, y: float, text: str, palette: Palette, anchor: str, strong: bool = False) -> str:
    weight = ' font-weight="700"' if strong else ""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="12" fill="{palette.text}"'
    return f"<text {place}{weight}>{text}</text>"
