"""Prints Tables 6, 11 and 12: results of scans of the paper's robust models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from aegis.cli.output import Printer, make_table
from aegis.lab.bank.record import made_record
from aegis.lab.bank.suspects import read_bank

if TYPE_CHECKING:
    from aegis.experiments.table6 import Detection
    from aegis.records.record import ScanRecord

# Presets by the headings of their columns.
MODES = {"preset default": "default", "preset paper": "paper"}
PUBLISHED_AS = "published"


def find_scans(training: str, results: Path, mode: str) -> dict[tuple[str, str], list[ScanRecord]]:
    """Reads scans of the paper's robust models.

    Args:
        training: *quick* or *paper*.
        results: folder of the bank's records.
        mode: preset of the scans.

    Returns:
        Scans by data set and trigger; models without a scan are left out.
    """
    from aegis.experiments.bank_scans import Trial, kept
    from aegis.experiments.table5 import name_of
    from aegis.experiments.table11 import PUBLISHED

    bank, scans = read_bank(), {}
    for data, trigger in PUBLISHED:
        entry = bank[name_of(True, data, trigger)]
        suspect = made_record(entry, training, results=results)
        if suspect is None or not suspect.made_by(entry, training):
            continue
        checkpoint = entry.path(training)
        trial = Trial(suspect=suspect, checkpoint=checkpoint, training=training, preset=mode, results=results)
        if found := kept(trial):
            scans[data, trigger] = found
    return scans


def print_table_6(training: str, results: Path) -> None:
    """Prints the verdicts on the fifteen robust models; all seeds count."""
    from aegis.experiments.table5 import INVISIBLE, VISIBLE
    from aegis.experiments.table6 import detection, published, totals
    from aegis.experiments.table11 import PUBLISHED

    columns = {
        title: {key: detection(scans, key[1]) for key, scans in find_scans(training, results, mode).items()}
        for title, mode in MODES.items()
    }
    columns[PUBLISHED_AS] = {key: published(*key) for key in PUBLISHED}
    shown = make_table(("\ndata", "\ntrigger"))
    for title in columns:
        for heading in (f"{title}\nfound", "\nnamed", "\nflagged"):
            shown.add_column(heading, justify="right", no_wrap=True)
    for key in PUBLISHED:
        shown.add_row(*key, *(cell for column in columns.values() for cell in _cells(column.get(key), key[1])))
    out = Printer()
    out.show(shown)
    out.line()
    for which, triggers in (("visible", VISIBLE), ("invisible", INVISIBLE)):
        for title, column in columns.items():
            if (sums := totals(column, triggers)) is not None:
                out.say(
                    f"{which} triggers, {title}: {sums.found:.0%} found, {sums.named:.0%} named, {sums.flagged:.1%} of "
                    "benign classes flagged"
                )
    out.line()
    out.note(
        "found: scans that say infected; named: those that flag the target; flagged: benign classes, over all "
        "scans. Published: as the paper's Tables 11 and 12 have it."
    )


def _cells(found: Detection | None, trigger: str) -> tuple[Text, ...]:
    if found is None:
        return (Text(""),) * 3
    colour = "green" if found.right(trigger) else "red"
    doubt = f" ({found.inconclusive} inconclusive)" if found.inconclusive else ""
    named = "" if trigger == "clean" else f"{found.named}/{found.scans}"
    cells = (f"{found.infected}/{found.scans}{doubt}", named, str(found.flagged))
    return tuple(Text(cell, colour) for cell in cells)


def print_clusters(number: str, training: str, results: Path) -> None:
    """Prints the number of clusters of every class, of the models of Table 11 or 12."""
    from aegis.experiments.table6 import BENIGN, CLASSES
    from aegis.experiments.table11 import MODELS, PUBLISHED, TARGET, clusters

    ours = {title: find_scans(training, results, mode) for title, mode in MODES.items()}
    labels = [f"{label}{'*' if label == TARGET else ''}" for label in range(CLASSES)]
    shown = make_table(("data", "trigger", "clusters"), labels)
    for key in MODELS[number]:
        lines = {PUBLISHED_AS: tuple((count, count) for count in PUBLISHED[key])}
        lines |= {title: clusters(scans[key]) for title, scans in ours.items() if key in scans}
        for title, counts in lines.items():
            cells = (
                Text(str(least) if least == most else f"{least}-{most}", "bold" if most > BENIGN else "")
                for least, most in counts
            )
            shown.add_row(*(key if title == PUBLISHED_AS else ("", "")), title, *cells)
    out = Printer()
    out.show(shown)
    out.line()
    out.note(
        f"* the target of infected models. More than {BENIGN} are flagged by the paper's rule. Of several "
        "budgets the largest count, of several seeds the least and the most."
    )
