"""That shapes are checked at all while tests run."""

import jaxtyping
import numpy as np
import pytest

from aegis.attacks.pgd import Stage
from aegis.core.types import Stamp


def test_a_wrong_shape_is_an_error():
    image = np.zeros((1, 4, 4), np.float32)
    Stamp(image, image)
    with pytest.raises(jaxtyping.TypeCheckError):
        Stamp(image[0], image)


def test_an_int_is_a_float():
    assert Stage(epsilon=1, step=0.5, iterations=1).epsilon == 1
