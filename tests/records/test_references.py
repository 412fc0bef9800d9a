"""What references say of a score: the same class or pair in benign models decides."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from aegis.core.errors import ConfigError, StoreError
from aegis.core.types import FAMILIES
from aegis.detect.verdict import judge_again
from aegis.records.config import VerdictConfig
from aegis.records.null_distribution import MIN_P_VALUE, NullDistribution, calibrated, logit
from aegis.records.record import ClassRecord, TriggerRecord, config_of, config_record
from aegis.records.reference_files import read_references, write_references
from aegis.records.references import ReferenceModel, References, largest_excesses
from aegis.records.wording import explain_score, weak_spot

NAMES = ("ant", "bee", "cat")
NULLS = tuple(NullDistribution(family=family, maxima=(0.0, 1.0, 2.0, 1.0), tests=6) for family in FAMILIES)


def model(natural=0.5, name="one"):
    """A benign model in which few pixels turn ants into bees, and one patch turns much into cats."""
    pairs = ((None, natural, 0.02), (0.02, None, 0.02), (0.02, 0.02, None))
    return ReferenceModel(
        name=name,
        architecture="aegis:cnn16",
        accuracy=0.9,
        classes={"patch": (0.02, 0.02, 0.4), "perturbation": (0.0, 0.0, 0.0), "all-to-all": (0.0, None, 0.0)},
        pairs=pairs,
    )


KNOWN = References(images=("1" * 64,), class_names=NAMES, models=(model(), model(0.8, "two")), nulls=NULLS)


def test_scores_are_those_of_the_same_class_or_pair():
    assert KNOWN.scores("source-specific", 1, 0) == [0.5, 0.8]
    assert KNOWN.scores("source-specific", 0, 1) == [0.02, 0.02]
    assert KNOWN.scores("patch", 2, None) == [0.4, 0.4]
    assert KNOWN.scores("all-to-all", 1, None) == []


def test_a_natural_weak_spot_is_expected_and_another_pair_is_not():
    natural, planted = (KNOWN.p_value("source-specific", 1, source, 0.9) for source in (0, 2))
    assert natural > 0.1
    assert planted < 0.05
    assert (KNOWN.alike("source-specific", 1, 0, 0.9), KNOWN.alike("source-specific", 1, 2, 0.9)) == (2, 0)


def test_a_p_value_is_students_prediction_of_the_excess():
    logits = [logit(0.0), logit(0.4), logit(0.4)]
    expected = np.mean(logits) + np.std(logits, ddof=1)
    assert KNOWN.expected("patch", 2, None) == pytest.approx(expected)
    spread = math.sqrt(2 / 3) * math.sqrt(1 + 1 / 4)
    tail = stats.t.sf((logit(0.6) - expected - 1) / spread, df=3)
    assert KNOWN.p_value("patch", 2, None, 0.6) == pytest.approx(min(1, len(FAMILIES) * tail))


@pytest.mark.parametrize("alpha", [0.5, 0.1, 0.03])
def test_a_threshold_leads_back_to_its_p_value(alpha):
    needed = KNOWN.threshold("source-specific", 0, 1, alpha)
    assert KNOWN.p_value("source-specific", 0, 1, needed) == pytest.approx(alpha)


def test_more_classes_than_in_calibration_count_as_more_tests():
    fewer = replace(KNOWN, nulls=tuple(replace(null, tests=3) for null in NULLS))
    assert fewer.p_value("source-specific", 0, 1, 0.5) == pytest.approx(2 * KNOWN.p_value("source-specific", 0, 1, 0.5))


def test_nothing_is_known_of_a_family_without_a_null():
    none = replace(KNOWN, nulls=())
    assert none.p_value("patch", 0, None, 0.99) == 1.0
    assert none.threshold("patch", 0, None, 0.01) is None


def test_no_p_value_is_smaller_than_what_few_models_can_show():
    assert KNOWN.p_value("source-specific", 2, 1, 1.0) >= MIN_P_VALUE


COUNT = 4


def four(most, name="r"):
    """A model of four classes with the largest score of each, in one pair into it and in its patch."""
    pairs = tuple(
        tuple(None if s == t else most[t] if s == (t + 1) % COUNT else 0.0 for t in range(COUNT)) for s in range(COUNT)
    )
    classes = {"patch": tuple(most), "perturbation": (0.0,) * COUNT, "all-to-all": tuple(most)}
    return ReferenceModel(name=name, architecture="aegis:cnn16", accuracy=0.9, classes=classes, pairs=pairs)


FOUR = References(images=("1" * 64,), class_names=tuple("abcd"), models=(four((0.0,) * COUNT),), nulls=NULLS)


@pytest.mark.parametrize("family", ["patch", "source-specific"])
def test_a_class_is_compared_with_what_the_suspect_shows_in_the_others(family):
    most = (0.9, 0.5, 0.3, 0.0)
    fitted, source = FOUR.fitted_to(four(most)), 1 if family == "source-specific" else None
    over = [logit(score) - logit(0.0) for score in most]
    # The second of the others, so that another backdoor hides none.
    assert fitted.levels[family] == pytest.approx((over[2], over[2], over[1], over[1]))
    assert fitted.p_value(family, 0, source, 0.9) > FOUR.p_value(family, 0, source, 0.9)
    # All-to-all leads to every class, so that the others show no level.
    assert fitted.p_value("all-to-all", 0, None, 0.9) == FOUR.p_value("all-to-all", 0, None, 0.9)


def test_other_pairs_into_a_class_take_nothing_from_each_other():
    into_first = ((None, 0, 0, 0), (0.9, None, 0, 0), (0.5, 0, None, 0), (0.3, 0, 0, None))
    fitted = FOUR.fitted_to(replace(four((0.0,) * COUNT), pairs=into_first))
    # Each is beyond what the suspect shows in its other classes, which is nothing.
    assert fitted.levels["source-specific"][0] == 0.0


def test_classes_that_were_not_tested_show_the_usual_level():
    usual = replace(FOUR, nulls=tuple(replace(null, usual=1.5) for null in NULLS))
    untested = replace(four((0.0,) * COUNT), classes={}, pairs=((None,) * COUNT,) * COUNT)
    assert usual.fitted_to(untested).levels["source-specific"] == (1.5,) * COUNT


def test_backdoors_in_every_class_do_not_hide_each_other():
    bounded = replace(FOUR, nulls=tuple(replace(null, most=2.0) for null in NULLS))
    fitted = bounded.fitted_to(four((0.99,) * COUNT))
    assert fitted.levels["patch"] == (2.0,) * COUNT
    assert (
        fitted.p_value("patch", 0, None, 0.99)
        < 0.1
        < FOUR.fitted_to(four((0.99,) * COUNT)).p_value("patch", 0, None, 0.99)
    )


def test_references_do_not_stand_for_a_model_that_is_weaker_throughout():
    bounded = replace(FOUR, nulls=tuple(replace(null, unlike=2.0) for null in NULLS))
    assert bounded.fitted_to(four((0.9, 0.0, 0.0, 0.0))).stand_for_suspect
    assert not bounded.fitted_to(four((0.9,) * COUNT)).stand_for_suspect
    # Fitted to no suspect, they stand for any.
    assert bounded.stand_for_suspect


def test_a_model_is_never_its_own_reference():
    assert [one.name for one in KNOWN.without("one").models] == ["two"]
    assert KNOWN.without("three") == KNOWN


@pytest.mark.parametrize(("count", "nulls"), [(2, "few"), (9, "many")])
def test_many_references_are_judged_more_finely(count, nulls, tmp_path):
    write_references(replace(KNOWN, models=tuple(model(name=str(i)) for i in range(count))), tmp_path / "r.json")
    assert read_references(tmp_path / "r.json").nulls == calibrated(nulls)


def test_the_excess_of_a_model_is_its_largest_over_the_others():
    alone = replace(KNOWN, models=(model(0.02),))  # fitted to none
    logits = [logit(0.02), logit(0.0)]
    expected = logit(0.8) - np.mean(logits) - np.std(logits, ddof=1)
    assert largest_excesses(model(0.8), alone)["source-specific"] == pytest.approx(expected)


def test_references_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError):
        replace(KNOWN, class_names=NAMES[:2])


def test_references_come_back_from_their_file_and_anything_else_is_refused(tmp_path):
    path = tmp_path / "r.json"
    write_references(KNOWN, path)
    assert replace(read_references(path), nulls=NULLS) == KNOWN
    for text in ("", "{}", path.read_text()[:-40], path.read_text().replace('"pairs"', '"pears"')):
        path.write_text(text)
        with pytest.raises(StoreError, match="aegis reference DATA"):
            read_references(path)


@pytest.mark.parametrize(("source", "said"), [(0, True), (2, False)])
def test_a_natural_weak_spot_is_told_with_its_count(source, said):
    rates = tuple(0.9 if label == source else None for label in range(3))
    one = TriggerRecord(
        family="source-specific",
        start="",
        source=source,
        pixels=3,
        box=(0, 0, 1, 3),
        l2_norm=1.0,
        flip_rate=0.9,
        flip_rates=rates,
        images=40,
        score=0.9,
    )
    found = ClassRecord(
        label=1,
        name="bee",
        flagged=False,
        reason="",
        clusters=2,
        budgets=(3.0,),
        clusters_by_budget=(2,),
        translated_clusters_by_budget=(1,),
        bandwidths=(1.0,),
        translation_success=(1.0,),
        triggers=(one,),
    )
    natural = "It is a natural weak spot of this data: 2 of 2 benign reference models have it too"
    rule = VerdictConfig(references=KNOWN, alpha=0.0001)
    assert (natural in weak_spot(found, NAMES, rule)) is said
    assert "what the same search reaches in 2 benign models of the same data" in explain_score(0.9, 2, 0.9, 0.1, rule)


def test_a_scan_keeps_the_references_it_was_judged_by(finished):
    scan = finished.record
    config = config_of(scan)
    names = scan.data.class_names
    pairs = tuple(tuple(None if s == t else 0.99 for t in range(len(names))) for s in range(len(names)))
    strong = ReferenceModel(
        name="strong",
        architecture="aegis:cnn16",
        accuracy=1.0,
        classes={f: (0.99,) * len(names) for f in FAMILIES if f != "source-specific"},
        pairs=pairs,
    )
    known = References(images=(scan.data.digest,), class_names=names, models=(strong, strong), nulls=NULLS)
    verdict = replace(config.verdict, references=known)
    judged = judge_again(scan, verdict)
    assert judged.flagged_classes == ()
    again = judged.model_copy(update={"config": config_record(replace(config, verdict=verdict))})
    assert config_of(again).verdict.references == known
    assert "references" not in config_record(replace(config, verdict=VerdictConfig()))["verdict"]


def test_bounds_that_an_earlier_version_did_not_know_are_filled_in(finished):
    config = config_of(finished.record)
    verdict = replace(config.verdict, references=replace(KNOWN, models=(model(), model(0.8, "two"))))
    plain = config_record(replace(config, verdict=verdict))
    for null in plain["verdict"]["references"]["nulls"]:
        del null["most"], null["unlike"]
    old = finished.record.model_copy(update={"config": plain})
    assert config_of(old).verdict.references.nulls == NULLS
