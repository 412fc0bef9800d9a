import numpy as np
import pytest

from aegis.core.errors import ConfigError
from aegis.core.types import Stage


@pytest.mark.parametrize(
    ("field", "value"),
    [("epsilon", 0), ("epsilon", -1.0), ("epsilon", np.nan), ("step", 0), ("step", -0.5), ("iterations", 0)],
)
def test_a_stage_out_of_range_is_refused(field, value):
    with pytest.raises(ConfigError, match=f"{field} above 0"):
        Stage(**{"epsilon": 1.0, "step": 1.0, "iterations": 1} | {field: value})
