"""Tables of a comparison as plain markup, which is there at once; no Streamlit here."""

from __future__ import annotations

import html
from collections.abc import Sequence

from aegis.core.text import numbered, printable
from aegis.core.types import FAMILIES
from aegis.records.compare import ClassPair, Flagged, Metric, noticed
from aegis.records.settings import Line

MARKS: dict[Flagged, str] = {
    "newer": "only in the newer",
    "older": "only in the older",
    "both": "in both",
    "neither": "",
}
# Smaller changes of a share or of an L2 norm are not emphasised.
POINTS, RADIUS = 0.02, 0.1
NONE = "–"  # noqa: RUF001 - where there is nothing
TABLES = """<style>
.aegis-wide { overflow-x: auto; }
.aegis-table { width: 100%; border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
.aegis-table th, .aegis-table td { text-align: left; padding: .375rem .75rem .375rem 0; vertical-align: top;
  border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); overflow-wrap: anywhere; }
.aegis-table thead th { font-weight: 600; opacity: .8; white-space: nowrap; }
.aegis-table tbody th { font-weight: 400; min-width: 7rem; }
.aegis-table .changed, .aegis-table .same, .aegis-table .plain { white-space: nowrap; }
.aegis-table .changed { font-weight: 650; }
.aegis-table .same { opacity: .65; }
.aegis-table .flagged { color: light-dark(#c2470a, #f58a4b); font-weight: 650; white-space: nowrap; }
</style>"""


def class_table(pairs: Sequence[ClassPair]) -> str:
    """Draws a table of clusters and best scores by family, for each class in both scans."""
    families = [family for family in FAMILIES if any(score is not None for p in pairs for score in p.scores(family))]
    heads = ["Class", "Flagged", "Clusters", *(family.capitalize() for family in families)]
    return _table(heads, [_class_row(pair, [_scores(pair.scores(family)) for family in families]) for pair in pairs])


def metric_table(metrics: Sequence[Metric]) -> str:
    """Draws a table of the model's accuracy and robustness in both scans."""
    return _table(["", "Older", "Newer", "Change"], [_metric_row(one) for one in metrics])


def line_table(lines: Sequence[Line]) -> str:
    """Draws a table of the settings that differ."""
    rows = [_row(one.name, [_cell(one.older), _cell(one.newer)]) for one in lines]
    return _table(["", "Older", "Newer"], rows)


def value_table(values: Sequence[tuple[str, str]]) -> str:
    """Draws a table of names and values."""
    return _table([], [_row(printable(name, 60), [_cell(printable(value, 200))]) for name, value in values])


def _metric_row(one: Metric) -> str:
    moved = one.change is not None and abs(one.change) >= (POINTS if one.share else RADIUS)
    kinds = ("changed", "plain") if moved else ("plain", "same")
    return _row(one.name, [_cell(one.older, "plain"), _cell(one.newer, kinds[0]), _cell(_change(one), kinds[1])])


def _class_row(pair: ClassPair, scores: Sequence[str]) -> str:
    name = numbered(pair.label, pair.name)
    before, now = (None if one is None else one.clusters for one in (pair.older, pair.newer))
    clusters = _both(_count(before), _count(now), before != now)
    mark, missing = MARKS[pair.flagged], "older" if pair.older is None else "newer"
    if pair.older is None or pair.newer is None:
        mark = f"{mark}; not tested in the {missing}" if mark else f"not tested in the {missing}"
    return _row(name, [_cell(mark, "same" if pair.flagged == "neither" else "flagged"), clusters, *scores])


def _scores(scores: tuple[float | None, float | None]) -> str:
    before, now = scores
    return _both(_share(before), _share(now), noticed(before, now))


def _both(before: str, now: str, moved: bool) -> str:
    if before == now:
        return _cell(before, "same")
    return _cell(f"{before} → {now}", "changed" if moved else "plain")


def _count(count: int | None) -> str:
    return NONE if count is None else str(count)


def _share(share: float | None) -> str:
    return NONE if share is None else f"{share:.0%}"


def _change(one: Metric) -> str:
    if one.change is None or not round(one.change, 3):
        return "none" if one.change is not None else ""
    return f"{100 * one.change:+.1f} points" if one.share else f"{one.change:+.2f}"


def _table(heads: Sequence[str], rows: Sequence[str]) -> str:
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' if name else "<td></td>" for name in heads)
    top = f"<thead><tr>{head}</tr></thead>" if heads else ""
    whole = f"{top}<tbody>{''.join(rows)}</tbody>"
    return f'<div class="aegis-wide"><table class="aegis-table">{whole}</table></div>'


def _row(name: str, cells: Sequence[str]) -> str:
    return f'<tr><th scope="row">{html.escape(name)}</th>{"".join(cells)}</tr>'


def _cell(text: str, kind: str = "") -> str:
    opened = f'<td class="{kind}">' if kind else "<td>"
    return f"{opened}{html.escape(text)}</td>"
