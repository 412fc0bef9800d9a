"""``aegis bank calibrate``: thresholds from the calibration half, and whether they hold elsewhere."""

from __future__ import annotations

from typing import Annotated

from aegis.cli.options import Results, flag
from aegis.cli.output import Printer, make_table
from aegis.core.errors import ConfigError
from aegis.lab.bank.record import RESULTS, made_record
from aegis.lab.bank.suspects import choose, read_bank
from aegis.records.null_distribution import CALIBRATION

Write = Annotated[bool, flag("--write", "Make these the detector's thresholds; without it, they are only shown.")]


def calibrate(write: Write = False, results: Results = RESULTS) -> None:
    """Show what benign classes of the calibration half reach, and what follows for the evaluation half.

    Examples:

        aegis bank calibrate
        aegis bank calibrate --write

    Thresholds come from the calibration half of the proving set alone, scanned with seed 0 (aegis bank scan). Then
    suspects of both halves are judged again with one data set, or one kind of trigger, left out of it, and those of the
    calibration half by what the evaluation half shows.
    """
    from aegis.cli.bank.summary import print_tallies
    from aegis.experiments.bank_scans import CODE, Trial
    from aegis.experiments.calibration import benign_scores, crossed, judged_with, keep_calibration, nulls_of
    from aegis.experiments.detection_rates import Case, tally

    out, cases = Printer(), {}
    for half in ("calibration", "evaluation"):
        entries = choose(read_bank(), [half], [])
        trials = [
            Trial(suspect=made, checkpoint=entry.path("quick"), results=results)
            for entry in entries
            if (made := made_record(entry, "quick", None, results))
        ]
        cases[half] = [Case(trial.suspect, (found,)) for trial in trials if (found := trial.find())]
    benign = benign_scores(cases["calibration"])
    if len(benign) < 2:
        raise ConfigError("scans of calibration models", f"{len(benign)}", "Scan: aegis bank scan --set calibration.")
    table = make_table(["model"], benign[0].scores)
    for model in benign:
        table.add_row(model.name, *(f"{score:.0%}" for score in model.scores.values()))
    out.show(table)
    for null in nulls_of(benign):
        out.say(
            f"{null.family}: 1% of benign models reach {null.threshold(0.01):.0%}, 0.25% {null.threshold(0.0025):.0%}"
        )
    both = [*cases["calibration"], *cases["evaluation"]]
    shown = [tally(f"without its {by}", crossed(both, benign, by)) for by in ("data", "kind")]
    if len(turned := benign_scores(cases["evaluation"])) >= 2:
        shown.append(tally("calibration half, by the other", judged_with(cases["calibration"], nulls_of(turned))))
    print_tallies(shown, out)
    versions = {scan.versions.get(CODE) for case in cases["calibration"] for scan in case.scans}
    if write and len(versions) > 1:
        raise ConfigError(
            "scans of one version of the detector", f"{len(versions)} versions", "Remove the older ones and scan again."
        )
    if write:
        keep_calibration(benign)
        out.say(f"Written to {CALIBRATION.name}.")
