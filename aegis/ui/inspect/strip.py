"""The strip of clusters above the scatter: what the browser draws, and tells as it tells of clicks on points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64

from aegis.ui.components.charts import LEGEND
from aegis.ui.components.pictures import address
from aegis.ui.inspect.clusters import ClusterSummary, typical_pictures
from aegis.ui.inspect.subject import Subject


def strip(
    subject: Subject, summaries: Sequence[ClusterSummary], colours: Sequence[int], coloured: bool
) -> dict[str, Any]:
    """Describes the clusters of a class to the browser, which takes all text as it is.

    Args:
        subject: the class and the selection.
        summaries: of the clusters.
        colours: colour number of each cluster.
        coloured: whether points have the colours of their clusters; signs without one would otherwise mislead.
    """
    palette = subject.palette
    chips = []
    for summary in summaries[:LEGEND]:
        number, picture = colours[summary.number], typical_pictures(subject, summary)
        chips.append(
            {
                "name": f"Cluster {summary.number + 1}",
                "said": summary.counts,
                "sources": summary.say_sources(subject.record.data.class_names),
                "row": row_of(summary.rows, subject.selected),
                "pressed": pressed(summary.rows, subject.selected),
                "picture": None if picture is None else address(picture),
                "colour": palette.colour(number) if coloured else palette.muted,
                "symbol": palette.symbol(number),
            }
        )
    return {"chips": chips, "more": max(0, len(summaries) - LEGEND), "coloured": coloured}


def pressed(rows: Int64[np.ndarray, " k"], selected: Bool[np.ndarray, " p"]) -> str:
    """Says how much of a cluster is selected, as ``aria-pressed`` does.

    Args:
        rows: of the cluster.
        selected: rows.
    """
    chosen = selected[rows]
    return "true" if chosen.all() else "mixed" if chosen.any() else "false"


def row_of(rows: Int64[np.ndarray, " k"], selected: Bool[np.ndarray, " p"]) -> int:
    """Chooses the point that stands for a cluster when it is clicked: one that a click adds, where there is one.

    Args:
        rows: of the cluster.
        selected: rows.
    """
    missing = rows[~selected[rows]]
    return int(missing[0] if len(missing) else rows[0])
