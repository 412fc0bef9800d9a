"""Clean-label poison: images that keep their label and lose what tells it."""

import numpy as np
import pytest

from aegis.core.errors import ConfigError
from aegis.core.types import Stage
from aegis.lab.clean_label import disguised
from aegis.lab.triggers import TriggerContext
from aegis.metrics import predict

from .conftest import quadrants

BUDGET = Stage(epsilon=1.5, step=0.4, iterations=10)


def test_a_clean_model_no_longer_recognises_them(clean, images):
    before = images.pixels.copy()
    changed = disguised(TriggerContext(clean, images), images, BUDGET)
    assert changed.dtype == np.float32
    assert 0 <= changed.min() <= changed.max() <= 1
    lengths = np.linalg.norm((changed - images.pixels).reshape(len(images), -1), axis=1)
    assert 0.5 < lengths.max() <= 1.5 * (1 + 1e-5)
    assert (predict(clean, images.pixels) == images.labels).mean() > 0.9
    assert (predict(clean, changed) == images.labels).mean() < 0.3
    np.testing.assert_array_equal(images.pixels, before)


@pytest.mark.parametrize("side", [None, 8])
def test_it_needs_a_model_for_the_same_images(clean, images, side):
    context = side and TriggerContext(clean, images)
    with pytest.raises(ConfigError, match="--trigger-model"):
        disguised(context, quadrants(0, 8, side=side or 12), BUDGET)
