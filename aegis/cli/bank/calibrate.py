"""``aegis bank calibrate``: thresholds from the calibration half, and whether they hold elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from aegis.cli.options import Results, flag
from aegis.cli.output import Printer, make_table
from aegis.core.errors import ConfigError
from aegis.data import DATASETS
from aegis.lab.bank.record import RESULTS, made_record
from aegis.lab.bank.suspects import choose, read_bank
from aegis.records.null_distribution import CALIBRATION
from aegis.records.references import SHIPPED, known_digests

if TYPE_CHECKING:
    from aegis.experiments.calibration import Benign
    from aegis.experiments.detection_rates import Case

# Groups of the bank that thresholds come from.
HALVES = ("calibration", "breadth-calibration")
# Groups that are reported.
REPORTED = ("paper", "evaluation", "breadth-evaluation")

Write = Annotated[bool, flag("--write", "Make these the detector's thresholds; without it, they are only shown.")]


def calibrate(write: Write = False, results: Results = RESULTS) -> None:
    """Show what benign classes of calibration models reach, and what follows for the evaluation half.

    Examples:

        aegis bank calibrate
        aegis bank calibrate --write

    Thresholds come from the calibration half of the proving set and that of breadth, scanned with seed 0 (aegis bank
    scan): what benign classes reach, and how far they exceed the reference models of the same data. Suspects that no
    threshold comes from (the paper's, and the evaluation parts) are then judged by them, and again by thresholds
    without their own data set, kind of trigger or architecture, with references and without.
    """
    from aegis.cli.bank.summary import print_tallies
    from aegis.experiments.bank_scans import CODE
    from aegis.experiments.calibration import (
        benign_excesses,
        judged_with,
        keep_calibration,
        reference_tables,
    )
    from aegis.experiments.cross_validation import LEFT_OUT, crossed
    from aegis.experiments.detection_rates import tally

    out = Printer()
    cases = {half: _cases(half, results) for half in (*HALVES, *REPORTED, "breadth-references")}
    tables = reference_tables(cases["breadth-references"], known_digests())
    own = [case for half in HALVES for case in cases[half]]
    versions = {scan.versions.get(CODE) for case in own for scan in case.scans}
    if write and len(versions) > 1:
        raise ConfigError(
            "scans of one version of the detector", f"{len(versions)} versions", "Remove the older ones and scan again."
        )
    alone, known = benign_excesses(own), benign_excesses(own, tables)
    if len(known) < 2:
        raise ConfigError("scans of calibration models", f"{len(known)}", "Scan: aegis bank scan --set calibration.")
    _show(alone, known, out)
    reported, shown = [case for half in REPORTED for case in cases[half]], []
    for table, how in ((tables, ""), (None, ", no references")):
        shown.append(tally(f"evaluation{how}", judged_with(reported, own, table)))
        shown += [tally(f"without its {by}{how}", crossed(reported, own, by, table)) for by in LEFT_OUT]
    turned = judged_with(cases["calibration"], cases["evaluation"], tables)
    if turned:
        shown.append(tally("calibration half, by the other", turned))
    print_tallies(shown, out)
    if write:
        keep_calibration(alone, known, tables)
        out.say(f"Written to {CALIBRATION.name} and {SHIPPED.name}.")


def _show(alone: list[Benign], known: list[Benign], out: Printer) -> None:
    """Prints the largest excess of every calibration model over its other classes and over references."""
    from aegis.experiments.calibration import nulls_of, reference_nulls

    excesses = {model.name: model.excess for model in known}
    families = list(alone[0].excess)
    table = make_table(["model"], [*families, *(f"over references, {family}" for family in families)])
    for model in alone:
        both = [model.excess, excesses.get(model.name, {})]
        cells = [f"{excess[family]:.1f}" if family in excess else "" for excess in both for family in families]
        table.add_row(model.name, *cells)
    out.show(table)
    for how, nulls in (("without references", nulls_of(alone)), ("with references", reference_nulls(known))):
        for null in nulls:
            out.say(f"{how}, {null.family}: 0.25% of benign models exceed {null.threshold(0.0025):.1f} logits")


def _cases(half: str, results: Path) -> list[Case]:
    from aegis.experiments.bank_scans import Trial
    from aegis.experiments.detection_rates import Case

    trials = [
        Trial(suspect=made, checkpoint=entry.path("quick"), results=results)
        for entry in choose(read_bank(), [half], [])
        # Thresholds are for models of ten classes, whose images are bundled.
        if entry.data in DATASETS and (made := made_record(entry, "quick", None, results))
    ]
    return [Case(trial.suspect, (found,)) for trial in trials if (found := trial.find())]
