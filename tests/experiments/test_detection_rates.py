"""Counting verdicts: every count here is known beforehand."""

import pytest

from aegis.experiments.detection_rates import Rate, always_named_from, cases_of, confusion, tallies, tally
from aegis.models.card import Planted

from .cases import case, said, suspect

CLEAN, INFECTED = suspect("clean"), suspect("infected", lift=0.9)
CONTROL = suspect("control", group="control", triggers=(Planted(kind="relabelled", target=3),), attack_success_lift=0.0)


@pytest.mark.parametrize(
    ("scan", "outcome", "flagged"),
    [
        (said("infected", 3), "named", set()),
        (said("infected", 3, 4), "named", {4}),
        (said("infected", 4), "misnamed", {4}),
        (said("clean"), "clean", set()),
        (said("inconclusive"), "inconclusive", set()),
    ],
)
def test_outcomes_of_an_infected_suspect(scan, outcome, flagged):
    found = case(INFECTED, scan)
    assert found.outcome(scan) == outcome
    assert found.flagged(scan) == flagged


def test_every_target_counts_and_whatever_a_benign_suspect_is_flagged_of_is_false():
    scan = said("infected", 3)
    for known in (CLEAN, CONTROL):
        found = case(known, scan)
        assert (found.outcome(scan), found.flagged(scan)) == ("misnamed", {3})
    scan = said("inconclusive", 3)
    assert case(CLEAN, scan).flagged(scan) == set()
    assert not case(CLEAN, scan).ever_flagged
    two = suspect("two", lift=0.9, triggers=(Planted(kind="localised", target=1), Planted(kind="frame", target=2)))
    scan = said("infected", 2, 4)
    assert case(two, scan).flagged(scan) == {4}
    assert case(two, scan).outcome(scan) == "named"
    # One trigger that works is enough.
    both = suspect("two", lift=0.1, triggers=two.triggers, attack_success_lift_2=0.9)
    assert (both.success, both.lifts) == (0.9, (0.1, 0.9))
    around = suspect("around", lift=0.9, triggers=(Planted(kind="localised", target=7, all_to_all=True),))
    scan = said("infected", 0, 1, 2, 3, 4)
    assert case(around, scan).flagged(scan) == set()


def test_a_model_counts_once_and_only_if_every_seed_was_right():
    cases = [
        case(INFECTED, said("infected", 3), said("infected", 3)),
        case(INFECTED, said("infected", 3), said("clean")),
        case(INFECTED, said("infected", 4), said("infected", 3)),
        case(CLEAN, said("clean"), said("clean")),
        case(CLEAN, said("clean"), said("infected", 1)),
        case(CONTROL, said("inconclusive"), said("clean")),
    ]
    found = tally("all", cases)
    assert (found.detected, found.named, found.failed) == (Rate(2, 3), Rate(1, 3), Rate(0, 0))
    assert (found.flagged, found.inconclusive, found.cleared) == (Rate(2, 6), Rate(1, 6), Rate(1, 3))
    # Attacks that failed are counted apart.
    weak = suspect("weak", lift=0.19)
    found = tally("all", [case(weak, said("infected", 3)), case(INFECTED, said("clean"))])
    assert (found.detected, found.failed, found.flagged, found.cleared) == (
        Rate(0, 1),
        Rate(1, 1),
        Rate(0, 2),
        Rate(0, 0),
    )


def test_the_interval_of_clopper_and_pearson():
    # By hand: 1 - 0.025 ** (1 / n) for no hit in n.
    assert Rate(0, 20).interval == pytest.approx((0, 1 - 0.025 ** (1 / 20)))
    assert Rate(20, 20).interval == pytest.approx((0.025 ** (1 / 20), 1))
    assert str(Rate(0, 20)) == "0 of 20 (0% to 17%)"
    assert str(Rate(0, 0)) == "none"


def test_the_smallest_success_that_was_always_found():
    named, missed = said("infected", 3), said("clean")
    weak, fair, strong = (suspect(name, lift=lift) for name, lift in (("a", 0.3), ("b", 0.6), ("c", 0.9)))
    failed = case(suspect("f", lift=0.1), missed)
    assert always_named_from([case(weak, named), case(fair, named, named), case(strong, named), failed]) == 0.3
    assert always_named_from([case(strong, named), case(weak, named), case(fair, named, missed)]) == 0.9
    assert always_named_from([case(weak, named), case(strong, missed)]) is None
    assert always_named_from([case(suspect("clean"), missed), failed]) is None


def test_groups_of_all_cases():
    weak = suspect("weak", lift=0.1, data="cifar10", group="paper")
    source = suspect("source", lift=0.6, triggers=(Planted(kind="frame", target=3, source=1),))
    cases = [case(one, said("clean")) for one in (CLEAN, INFECTED, CONTROL, weak, source)]
    counts = {found.title: found.flagged.models for found in tallies(cases)}
    assert counts == {
        "all": 5,
        "set: control": 1,
        "set: paper": 1,
        "set: proving": 3,
        "data: cifar10": 1,
        "data: mnist": 4,
        "trigger: clean": 1,
        "trigger: frame, source-specific": 1,
        "trigger: localised": 2,
        "trigger: relabelled": 1,
        "attack success: 50% to 80%": 1,
        "attack success: 80% to 100%": 1,
        "attack success: below 20%": 1,
        "attack success: clean or control": 2,
    }


def test_the_confusion_of_scans():
    weak = suspect("weak", lift=0.19)
    cases = [
        case(INFECTED, said("infected", 3), said("infected", 1)),
        case(weak, said("clean")),
        case(CLEAN, said("clean"), said("inconclusive")),
        case(CONTROL, said("infected", 3)),
    ]
    assert confusion(cases) == {
        "infected, success at least 20%": {"named": 1, "misnamed": 1, "clean": 0, "inconclusive": 0},
        "infected, success below 20%": {"named": 0, "misnamed": 0, "clean": 1, "inconclusive": 0},
        "clean": {"named": 0, "misnamed": 0, "clean": 1, "inconclusive": 1},
        "control": {"named": 0, "misnamed": 1, "clean": 0, "inconclusive": 0},
    }


def test_scans_are_put_together_by_suspect():
    scans = [said("clean"), said("infected", 3), said("inconclusive")]
    found = cases_of([(INFECTED, scans[0]), (CLEAN, scans[1]), (INFECTED, scans[2])])
    assert [(one.suspect.name, one.scans) for one in found] == [
        ("infected", (scans[0], scans[2])),
        ("clean", (scans[1],)),
    ]
