"""The smallest settings: what they leave as it is, and that their outcomes are never taken for real ones."""

from dataclasses import replace

import pytest

from aegis.baselines.catalogue import BASELINES
from aegis.experiments.rivals import RivalTrial
from aegis.experiments.smoke import SEEDS, few_images, smallest, smallest_training
from aegis.experiments.sweep import Sweep
from aegis.lab.bank.suspects import read_bank
from aegis.records.presets import preset

from .test_bank_scans import checkpoint, trial  # noqa: F401 - fixtures


@pytest.mark.parametrize("name", ["default", "paper"])
def test_a_scan_keeps_its_rule_its_budgets_and_whether_it_searches(name):
    usual = preset(name, "mnist", (1, 28, 28))
    small = smallest(usual)
    assert small.gather.seeds == SEEDS < usual.gather.seeds
    assert [stage.epsilon for stage in small.gather.stages] == [stage.epsilon for stage in usual.gather.stages]
    assert (small.gather.trigger_search is None) == (usual.gather.trigger_search is None)
    assert small.verdict == usual.verdict


def test_the_smallest_runs_are_others_than_the_usual(trial):  # noqa: F811 - the fixture
    small = replace(trial, is_smoke=True)
    assert small.config != trial.config
    assert Sweep(trial=small).plan["seeds"] == [20, 30, 40, 50, 60, 70, 80]
    assert Sweep(trial=small).usual in Sweep(trial=small).counts
    assert Sweep(trial=trial).plan != Sweep(trial=small).plan
    for name in BASELINES:
        assert RivalTrial(name=name, trial=trial).config == BASELINES[name].config
        assert RivalTrial(name=name, trial=trial).plan != RivalTrial(name=name, trial=small).plan


def test_a_training_keeps_its_trigger_and_a_clean_one_stays_clean():
    bank = read_bank()
    for name in ("mnist_localised", "mnist_clean"):
        order, usual = smallest_training(bank[name]).order("quick"), bank[name].order("quick")
        assert (order.triggers, order.architecture, order.seed) == (usual.triggers, usual.architecture, usual.seed)
        assert order.recipe.epochs == 3
        assert (order.poison is None) == (usual.poison is None)
    images = few_images("mnist")
    assert (len(images.train), len(images.test), images.name) == (5000, 200, "samples:mnist")
    assert set(images.test.labels) == set(range(10))
