"""How unlikely an excess is among benign models: the answers of Student's distribution."""

import json
import math

import numpy as np
import pytest
from scipy import stats

from aegis.core.errors import ConfigError
from aegis.core.types import FAMILIES
from aegis.records import null_distribution as null_module
from aegis.records.config import VerdictConfig
from aegis.records.null_distribution import (
    LEAST_SPREAD,
    NullDistribution,
    calibrated,
    logit,
    of_scores,
    student_p,
    student_threshold,
)

THREE = (1.0, 2.0, 3.0)


@pytest.mark.parametrize("new", [1.0, 2.0, 4.5, 6.0])
def test_a_new_models_excess_is_judged_by_students_prediction(new):
    # Their mean is 2, their spread 1.
    distance = (new - 2) / math.sqrt(1 + 1 / 3)
    assert student_p(THREE, new) == pytest.approx(stats.t.sf(distance, df=2))
    # Of two degrees of freedom it is known in closed form.
    assert student_p(THREE, new) == pytest.approx(0.5 - distance / (2 * math.sqrt(2 + distance**2)))


def test_a_larger_excess_and_more_models_make_it_less_likely():
    chances = [student_p(THREE, new) for new in np.linspace(-1, 9, 50)]
    assert all(a > b for a, b in zip(chances, chances[1:]))
    assert 0 < chances[-1] < chances[0] < 1
    assert student_p([1.5, 2.5] * 10, 5.0) < student_p([1.5, 2.5], 5.0)


@pytest.mark.parametrize("wanted", [0.5, 0.1, 0.01, 0.0025])
def test_a_chance_leads_back_to_its_excess(wanted):
    many = list(np.linspace(0, 2, 12))
    assert student_p(many, student_threshold(many, wanted)) == pytest.approx(wanted)
    assert NullDistribution(family="patch", maxima=tuple(many), tests=9).threshold(wanted) == pytest.approx(
        student_threshold(many, wanted)
    )


def test_models_that_are_all_the_same_still_have_a_spread():
    same = [1.0] * 5
    assert student_p(same, 1.0) == pytest.approx(0.5)
    assert student_p(same, 1 + LEAST_SPREAD * math.sqrt(1 + 1 / 5)) == pytest.approx(stats.t.sf(1, df=4))


def test_scores_are_excesses_over_a_trigger_that_does_nothing():
    assert logit(0.0) == pytest.approx(-logit(1.0))
    null = of_scores("patch", (0.0, 0.5, 1.0))
    assert null.maxima == pytest.approx((0.0, logit(0.5) - logit(0.0), 2 * logit(1.0)))
    # Such a null allows for no level, and pays for no classes.
    rule = VerdictConfig(nulls=(null,))
    assert null.most == 0
    assert rule.p_value("patch", 0, None, 0.5) == pytest.approx(0.5)


@pytest.mark.parametrize("maxima", [(), (0.5,), (0.5, math.inf), (0.5, math.nan)])
def test_what_no_models_can_show_is_refused(maxima):
    with pytest.raises(ConfigError, match="calibration models"):
        NullDistribution(family="patch", maxima=maxima, tests=1)


def test_a_family_pays_for_the_others_that_are_tested():
    three = of_scores("patch", (0.05, 0.12, 0.27))
    alone = VerdictConfig(nulls=(three,)).p_value("patch", 2, None, 0.6)
    assert alone == pytest.approx(student_p(three.maxima, logit(0.6) - logit(0.0)))
    others = [of_scores(family, (0.01, 0.3)) for family in FAMILIES[1:]]
    four = VerdictConfig(nulls=(*others, three))
    assert four.p_value("patch", 2, None, 0.6) == pytest.approx(4 * alone)
    assert four.p_value("patch", 2, None, 0.01) == 1
    # Without calibration models a score is never unlikely.
    assert VerdictConfig(nulls=(three,)).p_value("perturbation", 2, None, 1.0) == 1
    assert VerdictConfig(nulls=()).p_value("patch", 2, None, 1.0) == 1


@pytest.mark.parametrize("compared", ["alone", "few", "many"])
def test_what_the_calibration_models_show_is_read_from_its_file(compared, tmp_path, monkeypatch):
    shown = [{"family": "patch", "maxima": [0.1, 0.2], "tests": 9, "usual": 0.5, "most": 2.0}]
    (tmp_path / "c.json").write_text(json.dumps({"models": ["a", "b"], compared: shown}))
    monkeypatch.setattr(null_module, "CALIBRATION", tmp_path / "c.json")
    known = NullDistribution(family="patch", maxima=(0.1, 0.2), tests=9, usual=0.5, most=2.0)
    assert calibrated.__wrapped__(compared) == (known,)


@pytest.mark.parametrize("compared", ["alone", "few", "many"])
def test_every_family_is_calibrated_and_a_perfect_trigger_of_it_would_be_flagged(compared):
    nulls = calibrated(compared)
    assert [one.family for one in nulls] == list(FAMILIES)
    for one in nulls:
        assert len(one.maxima) >= 20
        assert len(nulls) * student_p(one.maxima, logit(1.0) - logit(0.0)) <= VerdictConfig().alpha
    assert VerdictConfig().nulls == calibrated("alone")
