"""What scans of the paper's robust models said, and what the paper's clusters come to."""

import pytest

from aegis.experiments.paper.models import INVISIBLE, VISIBLE
from aegis.experiments.paper.table6 import Detection, detection, published, totals
from aegis.experiments.paper.table11 import MODELS, PUBLISHED, clusters
from tests.experiments.cases import said

PAPER = {key: published(*key) for key in PUBLISHED}


def test_published_clusters_come_to_what_the_paper_sums_up():
    # Section 5.2: all visible attacks, five of six invisible ones, four of their targets, 11.1% false positives.
    visible, invisible = totals(PAPER, VISIBLE), totals(PAPER, INVISIBLE)
    assert (visible.found, visible.named, visible.flagged) == (1, 1, 0)
    assert invisible.found == pytest.approx(5 / 6)
    assert invisible.named == pytest.approx(4 / 6)
    assert invisible.flagged == pytest.approx(0.111, abs=0.0005)
    # Eleven of twelve: 91.6% in the paper.
    assert totals(PAPER, (*VISIBLE, *INVISIBLE)).found == pytest.approx(0.9166, abs=0.0005)
    clean = [PAPER[data, "clean"] for data in ("mnist", "fashion_mnist", "cifar10")]
    assert [(found.infected, found.right("clean")) for found in clean] == [(0, True)] * 3


def test_every_scan_counts():
    scans = [said("infected", 7), said("infected", 2, 3), said("clean"), said("inconclusive", 7)]
    found = detection(scans, "static")
    assert found == Detection(scans=4, infected=2, named=1, inconclusive=1, flagged=2)
    assert not found.right("static")
    assert detection(scans[:1], "static").right("static")
    assert not detection(scans[:1], "clean").right("clean")
    assert detection(scans[:1], "clean").flagged == 1
    assert detection([said("clean")], "clean").right("clean")
    assert not detection([said("inconclusive")], "clean").right("clean")


def test_sums_are_over_scans_of_the_models_asked_for():
    outcomes = {
        ("mnist", "static"): Detection(scans=4, infected=2, named=1, inconclusive=1, flagged=2),
        ("cifar10", "static"): Detection(scans=1, infected=1, named=1, inconclusive=0, flagged=0),
        ("mnist", "clean"): Detection(scans=5, infected=5, named=0, inconclusive=0, flagged=5),
    }
    sums = totals(outcomes, ("static",))
    assert (sums.found, sums.named, sums.flagged) == pytest.approx((3 / 5, 2 / 5, 2 / 45))
    assert totals(outcomes, ("localised",)) is None


def test_the_two_tables_are_about_all_models_once():
    assert sorted((*MODELS["11"], *MODELS["12"])) == sorted(PUBLISHED)
    assert {trigger for _, trigger in MODELS["12"]} == {"static", "adversarial"}
    assert all(len(counts) == 10 for counts in PUBLISHED.values())


def test_clusters_over_several_scans():
    assert clusters([said("clean", clusters=(2, 3, 1)), said("clean", clusters=(2, 5, 2))]) == ((2, 2), (3, 5), (1, 2))
