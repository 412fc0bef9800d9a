"""Changes by PGD of a linear model."""

import pytest

from aegis.baselines.config import PgdNormsConfig
from aegis.baselines.neural_cleanse_pgd import detect
from aegis.core.runtime import Runtime
from aegis.core.types import Stage
from tests.baselines.shortcut import SIDE, model


def test_the_norm_is_the_mean_over_images_of_the_sum_over_pixels(six, generator):
    stage = Stage(epsilon=0.5, step=0.5, iterations=3)
    found = detect(model(2).frozen(Runtime()), six, PgdNormsConfig(images=40, stage=stage), generator=generator)
    # No change is longer than the budget, and none of that length has a smaller sum than that of one pixel.
    assert ((found.scores > 0.5) & (found.scores < 0.5 * SIDE)).all()
    assert found.masks.sum((1, 2)) == pytest.approx(found.scores, rel=1e-4)
    assert found.masks[2].argmax() == SIDE**2 - 1
    assert found.successes[2] == 1
