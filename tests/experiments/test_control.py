"""The positive control: a trigger of known place and class, in a copy of a model that stays as it was."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from aegis.core.runtime import Cancelled
from aegis.experiments import control
from aegis.experiments.control import SIDE, draw_trigger, positive_control
from aegis.lab.recipes import Recipe
from aegis.lab.triggers import make_trigger
from aegis.records.config import VerdictConfig
from tests.detect.toy import ONE, SMALL


def test_the_same_seed_draws_the_same_trigger(data):
    assert draw_trigger(data, 3) == draw_trigger(data, 3)
    drawn = [draw_trigger(data, seed) for seed in range(30)]
    assert {trigger.target for trigger in drawn} == {0, 1, 2, 3}
    assert len({(trigger.row, trigger.column) for trigger in drawn}) > 10


def test_a_trigger_is_a_square_inside_the_image_that_can_be_seen_whatever_it_lies_on(data):
    for seed in range(30):
        stamp = make_trigger(draw_trigger(data, seed), data.shape)
        assert stamp.touched.sum() == SIDE**2
        for brightness in (0, 0.5, 1):
            benign = np.full((1, *data.shape), brightness, np.float32)
            assert (stamp(benign) != benign).any(axis=1).sum() >= SIDE**2 / 2


def test_classes_that_are_flagged_already_are_spared(data):
    assert {draw_trigger(data, seed, avoid=(0, 2)).target for seed in range(20)} == {1, 3}
    # All of them cannot be.
    assert {draw_trigger(data, seed, avoid=(0, 1, 2, 3)).target for seed in range(20)} == {0, 1, 2, 3}


def test_a_planted_trigger_is_seen_and_the_model_stays_as_it_was(clean, data, monkeypatch):
    # On so few images a backdoor takes more of them, and more passes.
    recipe = Recipe(epochs=6, batch=64, lr=0.05, schedule="one-cycle", epsilon=0.4, step=0.25, iterations=2)
    monkeypatch.setattr(control, "RECIPE", recipe)
    monkeypatch.setattr(control, "RATE", 0.5)
    before = {name: tensor.clone() for name, tensor in clean.classifier.state_dict().items()}
    found = positive_control(clean, data, SMALL, runtime=ONE)
    trigger = draw_trigger(data, SMALL.gather.seed)
    assert (found.target, found.planted, found.seen) == (trigger.target, True, True)
    assert found.lift >= 0.8
    assert found.accuracy >= 0.9
    assert found.score >= 0.5
    assert found.p_value <= SMALL.verdict.alpha
    for name, tensor in clean.classifier.state_dict().items():
        assert torch.equal(tensor, before[name])
    # A scan that flags nobody does not see it.
    search = replace(SMALL.gather.trigger_search, steps=2, refine_steps=2)
    deaf = replace(SMALL, gather=replace(SMALL.gather, trigger_search=search), verdict=VerdictConfig(nulls=()))
    found = positive_control(clean, data, deaf, runtime=ONE)
    assert (found.planted, found.seen) == (True, False)


def test_it_can_be_cancelled_in_training_and_in_the_scan(clean, data):
    for stage in ("train", "search"):

        def cancel(event, wanted=stage):
            if event.stage == wanted:
                raise Cancelled

        with pytest.raises(Cancelled):
            positive_control(clean, data, SMALL, runtime=ONE, report=cancel)
