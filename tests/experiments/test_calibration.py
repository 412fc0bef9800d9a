"""Thresholds from calibration models whose scores are known beforehand."""

import json

import pytest

from aegis.core.types import FAMILIES
from aegis.experiments.calibration import (
    Benign,
    benign_scores,
    excess_nulls_of,
    judged_with,
    keep_calibration,
    nulls_of,
    reference_tables,
)
from aegis.models.card import Planted
from aegis.records import null_distribution as null
from aegis.records import references
from aegis.records.null_distribution import calibrated
from aegis.records.references import read_references
from tests.report.made import made

from .cases import case, suspect


def scan(*rates, works="patch"):
    """A scan of four classes, in each of which one family reaches so much."""
    return made(rates=rates, works=works).record


def model(name, score, data="mnist", kind="clean"):
    """A calibration model whose strongest benign class reaches the same in every family."""
    return Benign(name, data, kind, dict.fromkeys(FAMILIES, score))


def test_the_strongest_class_of_a_clean_model_counts():
    (benign,) = benign_scores([case(suspect("clean"), scan(0.1, 0.4, 0.2, 0.3))])
    assert (benign.name, benign.data, benign.kind) == ("clean", "mnist", "clean")
    # The others reach a part of what the patch does.
    assert benign.scores == pytest.approx(
        {"patch": 0.4, "perturbation": 0.1, "source-specific": 0.13, "all-to-all": 0.08}
    )


def test_what_a_backdoor_leads_to_is_not_benign():
    infected = suspect("infected", lift=0.9, triggers=(Planted(kind="localised", target=1),))
    (benign,) = benign_scores([case(infected, scan(0.1, 0.9, 0.2, 0.3))])
    assert benign.scores["patch"] == pytest.approx(0.3)
    assert benign.kind == "localised"


def test_a_model_without_benign_classes_and_further_seeds_tell_nothing():
    around = suspect("around", lift=0.9, triggers=(Planted(kind="localised", target=1, all_to_all=True),))
    assert benign_scores([case(around, scan(0.1, 0.2, 0.3, 0.4))]) == []
    (benign,) = benign_scores([case(suspect(), scan(0.1, 0.1, 0.1, 0.1), scan(0.4, 0.4, 0.4, 0.4))])
    assert benign.scores["patch"] == pytest.approx(0.1)


def test_what_is_kept_is_what_the_detector_reads(tmp_path, monkeypatch):
    models = [model("a", 0.1), model("b", 0.3)]
    assert [(one.family, one.maxima) for one in nulls_of(models)] == [(family, (0.1, 0.3)) for family in FAMILIES]
    keep_calibration(models, {}, tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text())["models"] == ["a", "b"]
    monkeypatch.setattr(null, "CALIBRATION", tmp_path / "c.json")
    assert calibrated.__wrapped__() == nulls_of(models)


def test_references_and_excesses_are_kept_and_decide(tmp_path, monkeypatch):
    tables = reference_tables([case(suspect("r"), scan(0.1, 0.2, 0.7, 0.1))], {"mnist": ["9" * 64]})
    (reference,) = tables["mnist"].models
    assert reference.classes["patch"] == pytest.approx((0.1, 0.2, 0.7, 0.1))
    assert tables["mnist"].images[-1] == "9" * 64
    known = [case(suspect(name), scan(0.1, 0.2, rate, 0.1)) for name, rate in zip("abcdefgh", [0.7, 0.5, 0.6, 0.6] * 2)]
    benign = benign_scores(known, tables)
    assert {one.tests["patch"] for one in benign} == {4}
    assert {one.tests["source-specific"] for one in benign} == {12}
    nulls = {one.family: one for one in excess_nulls_of(benign)}
    assert nulls["patch"].maxima == tuple(round(one.excess["patch"], 4) for one in benign)
    assert nulls["patch"].most == round(max(level for one in benign for level in one.levels["patch"]), 4)
    assert nulls["patch"].usual <= nulls["patch"].most
    # The same score is natural in one class and not in the other, and with raw scores both are the same.
    usual, unusual = case(suspect("s"), scan(0.1, 0.2, 0.9, 0.1)), case(suspect("s"), scan(0.9, 0.2, 0.1, 0.1))
    flagged = [one.scans[0].flagged_classes for one in judged_with([usual, unusual], benign, tables)]
    assert flagged == [(), (0,)]
    keep_calibration(benign, tables, tmp_path / "c.json")
    monkeypatch.setattr(references, "CALIBRATION", tmp_path / "c.json")
    assert references.calibrated_excess.__wrapped__() == excess_nulls_of(benign)
    assert read_references(tmp_path / "reference_tables/mnist.json").models == (reference,)


HARD = [model(f"mnist{i}", score, "mnist", "localised") for i, score in enumerate((0.6, 0.7, 0.8))]
EASY = [model(f"cifar{i}", score, "cifar10", "static") for i, score in enumerate((0.01, 0.02, 0.01, 0.02, 0.01))]


def test_a_half_can_be_judged_by_the_other():
    judged_case = case(suspect("clean"), scan(0.1, 0.2, 0.7, 0.1))
    assert judged_with([judged_case], EASY)[0].scans[0].flagged_classes == (2,)
    assert judged_with([judged_case], HARD)[0].scans[0].flagged_classes == ()
