"""Thresholds from calibration models whose scores are known beforehand."""

import json
from dataclasses import replace

import pytest

from aegis.core.types import FAMILIES
from aegis.experiments.calibration import (
    Benign,
    benign_excesses,
    judged_with,
    keep_calibration,
    nulls_of,
    reference_nulls,
    reference_tables,
)
from aegis.models.card import Planted
from aegis.records import null_distribution as null
from aegis.records.null_distribution import UNBOUNDED, calibrated, logit
from aegis.records.reference_files import read_references
from tests.report.made import made

from .cases import case, suspect


def scan(*rates, works="patch"):
    """A scan of four classes, in each of which one family reaches so much."""
    return made(rates=rates, works=works).record


def over(score):
    """Its excess over a trigger that does nothing."""
    return logit(score) - logit(0.0)


def model(name, score):
    """A calibration model whose strongest benign class exceeds what is expected alike in every family."""
    return Benign(name, dict.fromkeys(FAMILIES, over(score)), dict.fromkeys(FAMILIES, 4), {})


def test_the_strongest_class_of_a_clean_model_counts():
    (benign,) = benign_excesses([case(suspect("clean"), scan(0.1, 0.4, 0.2, 0.3))])
    assert benign.name == "clean"
    # From the second of the other classes, and in all-to-all from nothing.
    assert benign.excess["patch"] == pytest.approx(over(0.4) - over(0.2))
    assert benign.excess["all-to-all"] == pytest.approx(over(0.08))
    assert list(benign.levels["patch"]) == pytest.approx([over(score) for score in (0.3, 0.2, 0.3, 0.2)])
    assert (benign.tests["patch"], benign.tests["source-specific"]) == (4, 12)


def test_what_a_backdoor_leads_to_is_not_benign():
    infected = suspect("infected", lift=0.9, triggers=(Planted(kind="localised", target=1),))
    (benign,) = benign_excesses([case(infected, scan(0.1, 0.9, 0.2, 0.3))])
    assert benign.excess["patch"] == pytest.approx(over(0.3) - over(0.2))
    assert benign.tests["patch"] == 3


def test_a_model_without_benign_classes_and_further_seeds_tell_nothing():
    around = suspect("around", lift=0.9, triggers=(Planted(kind="localised", target=1, all_to_all=True),))
    assert benign_excesses([case(around, scan(0.1, 0.2, 0.3, 0.4))]) == []
    (benign,) = benign_excesses([case(suspect(), scan(0.1, 0.1, 0.1, 0.1), scan(0.1, 0.4, 0.1, 0.1))])
    assert benign.excess["patch"] == pytest.approx(0)


def test_only_images_in_general_bound_what_is_allowed_for():
    levels = dict.fromkeys(FAMILIES, (1.0, 2.0))
    nulls = {one.family: one for one in nulls_of([replace(model(name, 0.1), levels=levels) for name in "ab"])}
    assert (nulls["patch"].usual, nulls["patch"].most) == (1.5, 2.0)
    assert nulls["source-specific"].most == UNBOUNDED


def test_what_is_kept_is_what_the_detector_reads(tmp_path, monkeypatch):
    nulls = {how: nulls_of([model("a", 0.1), model("b", score)]) for how, score in (("alone", 0.3), ("few", 0.2))}
    keep_calibration(nulls, ["a", "b"], {}, tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text())["models"] == ["a", "b"]
    monkeypatch.setattr(null, "CALIBRATION", tmp_path / "c.json")
    assert calibrated.__wrapped__("alone") == nulls["alone"]
    assert calibrated.__wrapped__("few") == nulls["few"]


def test_models_that_references_do_not_stand_for_do_not_count():
    usual = [replace(model(str(i), 0.1), levels={"source-specific": (1.0 + 0.1 * i,)}) for i in range(40)]
    weak = replace(model("weak", 0.9), levels={"source-specific": (8.0,)})
    nulls = {one.family: one for one in reference_nulls([*usual, weak])}
    assert len(nulls["patch"].maxima) == 40
    assert 4 < nulls["source-specific"].unlike < 8


def test_references_and_excesses_are_kept_and_decide(tmp_path):
    tables = reference_tables([case(suspect("r"), scan(0.1, 0.2, 0.7, 0.1))], {"mnist": ["9" * 64]})
    (reference,) = tables["mnist"].models
    assert reference.classes["patch"] == pytest.approx((0.1, 0.2, 0.7, 0.1))
    assert tables["mnist"].images[-1] == "9" * 64
    known = [case(suspect(name), scan(0.1, 0.2, rate, 0.1)) for name, rate in zip("abcdefgh", [0.7, 0.5, 0.6, 0.6] * 2)]
    benign = benign_excesses(known, tables)
    nulls = {one.family: one for one in nulls_of(benign)}
    assert nulls["patch"].maxima == tuple(round(one.excess["patch"], 4) for one in benign)
    assert nulls["patch"].most == round(max(level for one in benign for level in one.levels["patch"]), 4)
    assert nulls["patch"].usual <= nulls["patch"].most
    # The same score is natural in one class and not in the other, and with raw scores both are the same.
    usual, unusual = case(suspect("s"), scan(0.1, 0.2, 0.9, 0.1)), case(suspect("s"), scan(0.9, 0.2, 0.1, 0.1))
    flagged = [one.scans[0].flagged_classes for one in judged_with([usual, unusual], known, tables)]
    assert flagged == [(), (0,)]
    keep_calibration({}, [], tables, tmp_path / "c.json")
    assert read_references(tmp_path / "reference_tables/mnist.json").models == (reference,)


HARD = [case(suspect(f"hard{i}"), scan(0.1, score, 0.1, 0.1)) for i, score in enumerate((0.6, 0.7, 0.8))]
EASY = [case(suspect(f"easy{i}"), scan(0.02, score, 0.02, 0.02)) for i, score in enumerate((0.03, 0.02) * 4)]


def test_a_half_can_be_judged_by_the_other():
    judged_case = case(suspect("clean"), scan(0.1, 0.2, 0.7, 0.1))
    assert judged_with([judged_case], EASY)[0].scans[0].flagged_classes == (2,)
    assert judged_with([judged_case], HARD)[0].scans[0].flagged_classes == ()
