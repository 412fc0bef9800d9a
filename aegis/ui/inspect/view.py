"""The view of Inspect Class as a link holds it, and what clicks, boxes and lassos select in it; no Streamlit here."""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64

COLOURS = {"origin": "origin", "cluster": "cluster", "class": "seed class"}
SHOWS = {"translated": "translated", "seed": "seed", "difference": "difference", "training": "training"}
SPACES = {"change": "change (ours)", "features": "features (paper)"}
DEFAULT_COLOUR, DEFAULT_SHOW, DEFAULT_SPACE = "cluster", "translated", "change"


@dataclass(frozen=True, kw_only=True)
class View:
    """One view of one class; None leaves a choice to the page.

    Args:
        scan: key of the scan.
        label: the class.
        budget: one of the scan's.
        bandwidth: of a what-if.
        method: of an embedding that is not the scan's.
        space: one of ``SPACES``.
        alone: translated images only (Fig. 16).
        colour: one of ``COLOURS``.
        show: one of ``SHOWS``.
        selection: rows, packed by ``pack``; empty for none.
    """

    scan: str | None = None
    label: int | None = None
    budget: float | None = None
    bandwidth: float | None = None
    method: str | None = None
    space: str = DEFAULT_SPACE
    alone: bool = False
    colour: str = DEFAULT_COLOUR
    show: str = DEFAULT_SHOW
    selection: str = ""

    def parameters(self) -> dict[str, str]:
        """Writes the view as query parameters; defaults are left out."""
        given = {
            "scan": self.scan,
            "class": None if self.label is None else str(self.label),
            "budget": None if self.budget is None else f"{self.budget:.12g}",
            "bandwidth": None if self.bandwidth is None else repr(self.bandwidth),
            "embedding": self.method,
            "space": None if self.space == DEFAULT_SPACE else self.space,
            "alone": "1" if self.alone else None,
            "colour": None if self.colour == DEFAULT_COLOUR else self.colour,
            "show": None if self.show == DEFAULT_SHOW else self.show,
            "selection": self.selection or None,
        }
        return {name: value for name, value in given.items() if value is not None}


def read_view(parameters: Mapping[str, str]) -> View:
    """Reads a view from query parameters; invalid ones are ignored."""
    colour, show, space = (parameters.get(name, "") for name in ("colour", "show", "space"))
    label = parameters.get("class", "")
    return View(
        scan=parameters.get("scan"),
        label=int(label) if label.isascii() and label.isdigit() and len(label) < 10 else None,
        budget=_positive(parameters.get("budget", "")),
        bandwidth=_positive(parameters.get("bandwidth", "")),
        method=parameters.get("embedding"),
        space=space if space in SPACES else DEFAULT_SPACE,
        alone=parameters.get("alone") == "1",
        colour=colour if colour in COLOURS else DEFAULT_COLOUR,
        show=show if show in SHOWS else DEFAULT_SHOW,
        selection=parameters.get("selection", ""),
    )


def pack(selected: Bool[np.ndarray, " p"]) -> str:
    """Writes selected rows as text for a link.

    Args:
        selected: True for selected points.

    Returns:
        The text; empty for none.
    """
    if not selected.any():
        return ""
    return base64.urlsafe_b64encode(zlib.compress(np.packbits(selected).tobytes(), 9)).decode().rstrip("=")


def unpack(text: str, points: int) -> Bool[np.ndarray, " p"]:
    """Reads selected rows from the text of a link.

    Args:
        text: of the link.
        points: number of points of the class.

    Returns:
        True for selected points; none if the text is of another class.
    """
    none = np.zeros(points, bool)
    size = -(-points // 8)
    try:
        packed = zlib.decompressobj().decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), size + 1)
    except (binascii.Error, zlib.error, ValueError):
        return none
    if len(packed) != size:
        return none
    return np.unpackbits(np.frombuffer(packed, np.uint8), count=points).astype(bool)


def _positive(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def apply_pick(
    picked: Mapping[str, Any], selected: Bool[np.ndarray, " p"], assignment: Int64[np.ndarray, " p"]
) -> Bool[np.ndarray, " p"]:
    """The selection after something was clicked or drawn.

    A click selects the whole cluster of its point, a box or a lasso exactly what lies in it. Nothing hit leaves the
    selection as it is.

    Args:
        picked: *rows*, whether they were *drawn* around, and whether *adding* them to what was selected; a click on a
            point that was selected then takes its cluster away.
        selected: the selection before.
        assignment: cluster of each point, -1 for points left out.
    """
    hit = _rows(picked, len(selected))
    if not hit.any():
        return selected
    drawn = bool(picked.get("drawn"))
    chosen: np.ndarray = hit if drawn else _clusters_of(hit, assignment)
    if not picked.get("adding"):
        return chosen
    takes_away = not drawn and bool((hit & selected).any())
    together: np.ndarray = selected & ~chosen if takes_away else selected | chosen
    return together


def _rows(picked: Mapping[str, Any], points: int) -> Bool[np.ndarray, " p"]:
    hit, rows = np.zeros(points, bool), picked.get("rows")
    for row in rows if isinstance(rows, list | tuple) else ():
        # What comes from a browser may be anything.
        if type(row) is int and 0 <= row < points:
            hit[row] = True
    return hit


def _clusters_of(rows: Bool[np.ndarray, " p"], assignment: Int64[np.ndarray, " p"]) -> Bool[np.ndarray, " p"]:
    # A point that was left out of clustering stands for itself.
    whole: np.ndarray = np.isin(assignment, np.setdiff1d(assignment[rows], [-1])) | rows
    return whole
