"""Tables of a comparison as plain markup, which is there at once; no Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence

from aegis.core.text import numbered, printable
from aegis.core.types import FAMILIES
from aegis.records.compare import ClassPair, Flagged, Metric, noticed
from aegis.records.settings import Line
from aegis.ui.components.tables import cell, row, table

MARKS: dict[Flagged, str] = {
    "newer": "only in the newer",
    "older": "only in the older",
    "both": "in both",
    "neither": "",
}
# Smaller changes of a share or of an L2 norm are not emphasised.
POINTS, RADIUS = 0.02, 0.1
NONE = "–"  # noqa: RUF001 - where there is nothing


def class_table(pairs: Sequence[ClassPair]) -> str:
    """Draws a table of clusters and best scores by family, for each class in both scans."""
    families = [family for family in FAMILIES if any(score is not None for p in pairs for score in p.scores(family))]
    heads = ["Class", "Flagged", "Clusters", *(family.capitalize() for family in families)]
    return table(heads, [_class_row(pair, [_scores(pair.scores(family)) for family in families]) for pair in pairs])


def metric_table(metrics: Sequence[Metric]) -> str:
    """Draws a table of the model's accuracy and robustness in both scans."""
    return table(["", "Older", "Newer", "Change"], [_metric_row(one) for one in metrics])


def line_table(lines: Sequence[Line]) -> str:
    """Draws a table of the settings that differ."""
    rows = [row(one.name, [cell(one.older), cell(one.newer)]) for one in lines]
    return table(["", "Older", "Newer"], rows)


def value_table(values: Sequence[tuple[str, str]]) -> str:
    """Draws a table of names and values."""
    return table([], [row(printable(name, 60), [cell(printable(value, 200))]) for name, value in values])


def _metric_row(one: Metric) -> str:
    moved = one.change is not None and abs(one.change) >= (POINTS if one.share else RADIUS)
    kinds = ("changed", "plain") if moved else ("plain", "same")
    return row(one.name, [cell(one.older, "plain"), cell(one.newer, kinds[0]), cell(_change(one), kinds[1])])


def _class_row(pair: ClassPair, scores: Sequence[str]) -> str:
    name = numbered(pair.label, pair.name)
    before, now = (None if one is None else one.clusters for one in (pair.older, pair.newer))
    clusters = _both(_count(before), _count(now), before != now)
    mark, missing = MARKS[pair.flagged], "older" if pair.older is None else "newer"
    if pair.older is None or pair.newer is None:
        mark = f"{mark}; not tested in the {missing}" if mark else f"not tested in the {missing}"
    return row(name, [cell(mark, "same" if pair.flagged == "neither" else "flagged"), clusters, *scores])


def _scores(scores: tuple[float | None, float | None]) -> str:
    before, now = scores
    return _both(_share(before), _share(now), noticed(before, now))


def _both(before: str, now: str, moved: bool) -> str:
    if before == now:
        return cell(before, "same")
    return cell(f"{before} → {now}", "changed" if moved else "plain")


def _count(count: int | None) -> str:
    return NONE if count is None else str(count)


def _share(share: float | None) -> str:
    return NONE if share is None else f"{share:.0%}"


def _change(one: Metric) -> str:
    if one.change is None or not round(one.change, 3):
        return "none" if one.change is not None else ""
    return f"{100 * one.change:+.1f} points" if one.share else f"{one.change:+.2f}"
