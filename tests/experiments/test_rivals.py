"""Other detectors on suspects of the bank: what is counted, and an outcome that is kept and found."""

from dataclasses import replace

from aegis.experiments.detection_rates import Rate
from aegis.experiments.rivals import RivalTally, RivalTrial, tally
from aegis.models.card import Planted
from tests.records.test_detectors import one

from .cases import suspect
from .test_bank_scans import checkpoint, trial  # noqa: F401 - fixtures


def made(name, lift=None, target=1, **how):
    triggers = () if lift is None else (Planted(kind="localised", target=target),)
    return suspect(name, lift, triggers=triggers, **how)


def test_found_named_and_falsely_flagged_are_counted_by_detector_and_training():
    outcomes = [
        (made("named", 0.9), one("nc", 1)),
        (made("named, and one more", 0.9), one("nc", 1, 2)),
        (made("found for a wrong reason", 0.9), one("nc", 0)),
        (made("missed", 0.9), one("nc")),
        (made("failed attack, target flagged", 0.1), one("nc", 1)),
        (made("clean"), one("nc")),
        (made("accused"), one("nc", 0, 2)),
        (made("a twin", robust=False), one("nc")),
        (made("named", 0.9), one("mmbd", 1)),
    ]
    nc, none = {"title": "Neural Cleanse", "seconds": 1.0, "undecided": 0}, Rate(0, 0)
    assert tally(outcomes) == [
        # Of 21 classes, five are targets.
        RivalTally(
            **nc, training="robust", ran=7, found=Rate(3, 4), named=Rate(2, 4), accused=Rate(1, 2), flagged=Rate(4, 16)
        ),
        RivalTally(**nc, training="standard", ran=1, found=none, named=none, accused=Rate(0, 1), flagged=Rate(0, 3)),
        RivalTally(
            **nc | {"title": "MM-BD"},
            training="robust",
            ran=1,
            found=Rate(1, 1),
            named=Rate(1, 1),
            accused=none,
            flagged=Rate(0, 2),
        ),
    ]


def test_an_outcome_is_kept_and_found_until_something_changes(trial):  # noqa: F811
    ran = RivalTrial(name="nc-pgd", trial=trial)
    assert ran.find() is None
    record = ran.run()
    assert (record.suspect, record.plan["config"]["images"], record.plan["seed"]) == (
        trial.suspect.name,
        100,
        trial.seed,
    )
    assert (record.detector.name, len(record.detector.scores)) == ("nc-pgd", len(trial.images.class_names))
    assert ran.find() == record
    for other in (
        replace(ran, name="nc"),
        replace(ran, trial=replace(trial, seed=trial.seed + 1)),
        replace(ran, trial=replace(trial, suspect=trial.suspect.model_copy(update={"sha256": "1" * 64}))),
    ):
        assert other.find() is None
