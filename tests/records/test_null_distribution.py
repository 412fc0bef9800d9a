"""How unlikely a score is among benign models: the answers of Student's distribution."""

import json
import math

import numpy as np
import pytest
from scipy import stats

from aegis.core.errors import ConfigError
from aegis.core.types import FAMILIES
from aegis.records import null_distribution as null_module
from aegis.records.config import VerdictConfig
from aegis.records.null_distribution import LEAST_SPREAD, NullDistribution, calibrated, logit, p_value


def odds(*logits):
    """The scores whose logits these are."""
    return tuple(1 / (1 + math.exp(-one)) for one in logits)


def null(*logits, family="patch"):
    return NullDistribution(family=family, maxima=odds(*logits))


THREE = null(-3.0, -2.0, -1.0)


@pytest.mark.parametrize("score", odds(-3.0, -2.0, 0.5, 2.0))
def test_a_new_models_score_is_judged_by_students_prediction(score):
    # Their mean is -2, their spread 1.
    distance = (logit(score) + 2) / math.sqrt(1 + 1 / 3)
    assert THREE.p_value(score) == pytest.approx(stats.t.sf(distance, df=2))
    # Of two degrees of freedom it is known in closed form.
    assert THREE.p_value(score) == pytest.approx(0.5 - distance / (2 * math.sqrt(2 + distance**2)))


def test_higher_scores_and_more_models_make_a_score_less_likely():
    chances = [THREE.p_value(score) for score in np.linspace(0.01, 0.99, 50)]
    assert all(a > b for a, b in zip(chances, chances[1:]))
    assert 0 < chances[-1] < chances[0] < 1
    few, many = null(-2.5, -1.5), null(*[-2.5, -1.5] * 10)
    assert many.p_value(0.9) < few.p_value(0.9)


@pytest.mark.parametrize("wanted", [0.5, 0.1, 0.01, 0.0025])
def test_a_chance_leads_back_to_its_score(wanted):
    many = null(*np.linspace(-4, -2, 12))
    assert many.p_value(many.threshold(wanted)) == pytest.approx(wanted)


def test_scores_that_are_all_the_same_still_have_a_spread():
    same = null(*[-1.0] * 5)
    assert same.p_value(odds(-1.0)[0]) == pytest.approx(0.5)
    above = odds(-1 + LEAST_SPREAD * math.sqrt(1 + 1 / 5))[0]
    assert same.p_value(above) == pytest.approx(stats.t.sf(1, df=4))


def test_nothing_and_everything_have_a_chance():
    none, all_ = (NullDistribution(family="patch", maxima=maxima) for maxima in ((0.0, 0.0), (0.0, 1.0)))
    assert logit(0.0) == pytest.approx(-logit(1.0))
    assert none.p_value(0.0) == pytest.approx(0.5)
    assert 0 < none.p_value(1.0) < 0.1
    assert all_.p_value(0.5) == pytest.approx(0.5)


@pytest.mark.parametrize("maxima", [(), (0.5,), (0.5, 1.1), (0.5, -0.1), (0.5, math.nan)])
def test_scores_that_no_models_can_reach_are_refused(maxima):
    with pytest.raises(ConfigError, match="calibration models"):
        NullDistribution(family="patch", maxima=maxima)


def test_a_family_pays_for_the_others_that_are_tested():
    alone = p_value("patch", 0.6, [THREE])
    assert alone == THREE.p_value(0.6)
    four = [null(-9.0, -1.0, family=family) for family in FAMILIES[1:]]
    assert p_value("patch", 0.6, [*four, THREE]) == pytest.approx(4 * alone)
    assert p_value("patch", 0.01, [*four, THREE]) == 1
    # Without calibration models a score is never unlikely.
    assert p_value("perturbation", 1.0, [THREE]) == 1
    assert p_value("patch", 1.0, []) == 1


def test_what_the_calibration_models_reach_is_read_from_its_file(tmp_path, monkeypatch):
    (tmp_path / "c.json").write_text(json.dumps({"models": ["a", "b"], "maxima": {"patch": [0.1, 0.2]}}))
    monkeypatch.setattr(null_module, "CALIBRATION", tmp_path / "c.json")
    assert calibrated.__wrapped__() == (NullDistribution(family="patch", maxima=(0.1, 0.2)),)


def test_every_family_is_calibrated_and_a_perfect_trigger_of_it_would_be_flagged():
    nulls = calibrated()
    assert [one.family for one in nulls] == list(FAMILIES)
    for one in nulls:
        assert len(one.maxima) >= 2
        assert 0 <= min(one.maxima) <= max(one.maxima) <= 1
        assert p_value(one.family, 1.0, nulls) <= VerdictConfig().alpha
    assert VerdictConfig().nulls == nulls
