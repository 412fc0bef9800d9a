"""Prints Table 7: how much the paper's rule depends on its parameters, and on the seeds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aegis.cli.output import Printer, make_table
from aegis.cli.table6 import find_scans

if TYPE_CHECKING:
    from aegis.experiments.sweep import SweepRecord
    from aegis.experiments.table7 import Sensitivity

ROWS = {
    "epsilon": "epsilon 60 to 140, 300 to 700",
    "bandwidth": "bandwidth -3, computed, +3",
    "seeds": "seeds 200 to 800",
    "repeats": "five repeats",
}


def print_table_7(training: str, results: Path) -> None:
    """Prints the paper's parameters beside ours, then budgets that bind and repeats with the default preset."""
    from aegis.experiments.table7 import PUBLISHED, REPEATS, binding, by_clusters, by_flagged, varied

    sweeps = _sweeps(training, results)
    ours = varied(sweeps)
    paper, default = (_repeats(training, results, mode, REPEATS) for mode in ("paper", "default"))
    if paper:
        ours["repeats"] = by_clusters([clusters for clusters, _ in paper])
    rates = ("\ndetected", "\nfailed", "false\npositives")
    table = make_table(["\nthe paper's rule"], ["configs\nhere", *rates, "configs\nin the paper", *rates])
    for parameter, title in ROWS.items():
        table.add_row(title, *_cells(ours.get(parameter)), *_cells(PUBLISHED[parameter]))
    for budget, found in binding(sweeps).items():
        table.add_row(f"budget {budget:g}", *_cells(found), *_cells(None))
    if default:
        found = by_flagged([flagged for _, flagged in default])
        table.add_row("five repeats, preset default", *_cells(found), *_cells(None))
    out = Printer()
    out.show(table)
    out.line()
    out.note(
        "On the six models with visible triggers. detected: the target is flagged; false positives: benign classes "
        "that are. In [0, 1] no image is 60 from another, so every epsilon of the paper gives the same bits, and "
        "one computation stands for all nine; budgets that bind are below. Numbers of seeds are parts of one draw "
        "of 800, with at most 500 training images of the class; repeats are draws of their own."
    )


def _sweeps(training: str, results: Path) -> Mapping[str, list[SweepRecord]]:
    from aegis.experiments.sweep import sweeps_of

    found: dict[str, list[SweepRecord]] = {}
    for task in sweeps_of(training=training, results=results):
        if (record := task.find()) is not None:
            found.setdefault(task.trial.suspect.data, []).append(record)
    return found


def _repeats(training: str, results: Path, mode: str, count: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Reads the clusters of every class and the flagged ones, of the first scans of each of the six models."""
    from aegis.experiments.table5 import VISIBLE

    scans = find_scans(training, results, mode)
    return [
        (tuple(found.clusters for found in scan.classes), scan.flagged_classes)
        for (_, trigger), kept in scans.items()
        if trigger in VISIBLE
        for scan in kept[:count]
    ]


def _cells(found: Sensitivity | None) -> tuple[str, ...]:
    if found is None:
        return ("",) * 4
    share = (n / max(found.configs, 1) for n in (found.detected, found.failed))
    detected, failed = (f"{s:.1%} ({n})" for s, n in zip(share, (found.detected, found.failed), strict=True))
    return str(found.configs), detected, failed, f"{found.false_positives:.1%} ({found.flagged})"
