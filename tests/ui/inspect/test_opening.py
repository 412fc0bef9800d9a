"""The budget that a class is opened at, of images in which a trigger was planted."""

import numpy as np
import pytest

from aegis.core.types import Evidence, Stamp, as_8_bit
from aegis.ui.inspect.opening import choose_opening, resemblance
from tests.candidates import candidate

BUDGETS = (1.0, 3.0, 30.0)
GENERATOR = np.random.default_rng(0)
SEEDS = GENERATOR.random((40, 1, 8, 8), np.float32) / 2
KEEP = np.ones((1, 8, 8), np.float32)
KEEP[:, 5:7, 5:7] = 0
STAMP = Stamp(KEEP, 1 - KEEP)
TRIGGER = candidate("patch", 0, (0.0, 1.0), STAMP)


def evidence(translated, success=(0.5, 0.95, 1.0)):
    return Evidence(
        label=0,
        budgets=BUDGETS,
        seed_index=np.arange(len(SEEDS)),
        train_index=np.arange(0),
        translated=np.stack([as_8_bit(np.clip(one, 0, 1)) for one in translated]),
        features=np.zeros((len(BUDGETS), len(SEEDS), 2), np.float32),
        success=np.array(success, np.float32),
        triggers=(TRIGGER,),
    )


def noisy(size):
    return SEEDS + size * GENERATOR.normal(size=SEEDS.shape).astype(np.float32)


@pytest.mark.parametrize("planted", range(len(BUDGETS)))
def test_it_is_the_one_whose_mean_change_is_most_like_the_trigger(planted):
    # Elsewhere the trigger is in a tenth of the images.
    some = [np.concatenate([STAMP(noisy(0.3)[:4]), noisy(0.3)[4:]]) for _ in BUDGETS]
    some[planted] = STAMP(noisy(0.1))
    opening = choose_opening(evidence(some), TRIGGER, SEEDS)
    assert opening.budget == BUDGETS[planted]
    assert "like the trigger found (correlation " in opening.because


@pytest.mark.parametrize("trigger", [None, TRIGGER])
@pytest.mark.parametrize(
    ("success", "budget"), [((0.5, 0.95, 1.0), 3), ((1, 1, 1), 1), ((0, 0, 0.4), 30), ((0,) * 3, 1)]
)
def test_without_a_likeness_it_is_the_smallest_that_translates_nearly_all(trigger, success, budget):
    opening = choose_opening(evidence([SEEDS] * 3, success), trigger, SEEDS)
    assert opening.budget == budget
    assert "the smallest change" in opening.because
    assert choose_opening(evidence([SEEDS] * 3, success), TRIGGER, None) == opening


def test_resemblance_is_a_correlation():
    assert resemblance(as_8_bit(STAMP(SEEDS)), SEEDS, TRIGGER) > 0.99
    darker = Stamp(KEEP, 0 * KEEP)
    assert resemblance(as_8_bit(darker(SEEDS)), SEEDS, TRIGGER) < -0.99
    assert resemblance(as_8_bit(SEEDS), as_8_bit(SEEDS).astype(np.float32) / 255, TRIGGER) == 0
