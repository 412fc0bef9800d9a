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
from aegis.records.reference_files import SHIPPED, known_digests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aegis.experiments.calibration import Benign
    from aegis.experiments.detection_rates import Case
    from aegis.records.null_distribution import Compared, NullDistribution

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
        nulls_of,
        reference_nulls,
        reference_tables,
    )
    from aegis.experiments.cross_validation import LEFT_OUT, crossed
    from aegis.experiments.detection_rates import tally

    out = Printer()
    cases = {half: _cases(half, results) for half in (*HALVES, *REPORTED, "breadth-references")}
    own = [case for half in HALVES for case in cases[half]]
    few = reference_tables(cases["breadth-references"], known_digests())
    many = reference_tables([*cases["breadth-references"], *own], known_digests())
    versions = {scan.versions.get(CODE) for case in own for scan in case.scans}
    if write and len(versions) > 1:
        raise ConfigError(
            "scans of one version of the detector", f"{len(versions)} versions", "Remove the older ones and scan again."
        )
    benign: dict[Compared, list[Benign]] = {
        "alone": benign_excesses(own),
        "few": benign_excesses(own, few),
        "many": benign_excesses(own, many),
    }
    if len(benign["few"]) < 2:
        found = str(len(benign["few"]))
        raise ConfigError("scans of calibration models", found, "Scan: aegis bank scan --set calibration.")
    nulls = {how: (nulls_of if how == "alone" else reference_nulls)(models) for how, models in benign.items()}
    _show(benign, nulls, out)
    reported, shown = [case for half in REPORTED for case in cases[half]], []
    for tables, said in ((many, "many references"), (few, "few references"), (None, "no references")):
        shown.append(tally(said, judged_with(reported, own, tables)))
        shown += [tally(f"{said}, without its {by}", crossed(reported, own, by, tables)) for by in LEFT_OUT]
    turned = judged_with(cases["calibration"], cases["evaluation"], few)
    if turned:
        shown.append(tally("calibration half, by the other", turned))
    print_tallies(shown, out)
    if write:
        keep_calibration(nulls, [model.name for model in benign["alone"]], many)
        out.say(f"Written to {CALIBRATION.name} and {SHIPPED.name}.")


def _show(
    benign: Mapping[Compared, list[Benign]], nulls: Mapping[Compared, Sequence[NullDistribution]], out: Printer
) -> None:
    """Prints the largest excess of every calibration model, however it is compared, and what few models exceed."""
    families, names = list(benign["alone"][0].excess), [model.name for model in benign["alone"]]
    table = make_table(["model"], [f"{family}, {how}" for how in benign for family in families])
    excesses = {how: {model.name: model.excess for model in models} for how, models in benign.items()}
    for name in names:
        rows = [excesses[how].get(name, {}) for how in benign]
        table.add_row(name, *(f"{row[family]:.1f}" if family in row else "" for row in rows for family in families))
    out.show(table)
    for how, those in nulls.items():
        for null in those:
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
