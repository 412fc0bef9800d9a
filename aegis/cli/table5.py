"""Prints Table 5."""

from __future__ import annotations

from pathlib import Path

from aegis.cli.output import Printer, make_table
from aegis.lab.bank.record import read_bank_record
from aegis.lab.bank.suspects import read_bank


def print_table_5(training: str, results: Path) -> None:
    """Prints attack success, accuracy and adversarial precision of the thirty models."""
    from aegis.experiments.detection_rates import WORKS
    from aegis.experiments.table5 import directions, table_5

    known = {name: (entry, read_bank_record(name, training, results)) for name, entry in read_bank().items()}
    records = {name: record for name, (entry, record) in known.items() if record and record.made_by(entry, training)}
    rows = table_5(records)
    measured = ("ASR", "paper", "other classes", "lift", "accuracy", "paper", "precision", "paper")
    shown = make_table(("training", "data", "trigger"), measured)
    for row in rows:
        ours = row.ours.metrics if row.ours else {}
        lift = ours.get("attack_success_lift")
        mark = " (failed)" if lift is not None and lift < WORKS else ""
        shown.add_row(
            "robust" if row.robust else "standard",
            row.data,
            row.trigger + mark,
            _percent(ours.get("attack_success_all_images")),
            _number(row.paper.success),
            _percent(ours.get("attack_success_other_classes")),
            _percent(lift),
            _percent(ours.get("accuracy")),
            _number(row.paper.accuracy),
            _percent(ours.get("adversarial_precision")),
            _number(row.paper.precision),
        )
    out = Printer()
    out.show(shown)
    out.line()
    for found in directions(rows):
        same = {True: "the same here", False: "the other way here", None: "not all of these are made"}[found.same]
        ours_text = "" if found.ours is None else f" ({found.ours[0]:.1f} against {found.ours[1]:.1f})"
        out.say(f"{found.claim}: paper {found.paper[0]:.1f} against {found.paper[1]:.1f}; {same}{ours_text}")
    out.note(
        "ASR: attack success over all test images, as in the paper; other classes: without the target's own "
        "images; lift: beyond what happens without the trigger; failed: a lift below 20%. Precision: accuracy "
        "under attack (L2 0.5), ours on 2,000 test images. "
        "How strong our invisible triggers are was our choice."
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"
