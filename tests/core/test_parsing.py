"""Numbers as people type them."""

import pytest

from aegis.core.errors import ConfigError
from aegis.core.parsing import numbers, whole_numbers


def test_numbers_keep_their_order_and_whole_ones_count_once():
    assert numbers(" -1, 2e-1,0 ", "", "") == (-1, 0.2, 0)
    assert whole_numbers(" 8,3 , 8,0", "", "") == (8, 3, 0)


@pytest.mark.parametrize("text", ["", " ", "a", "0.5;0.4", "nan", "inf", "1e400", "0.5,", "9" * 5000])
def test_what_is_no_number_is_quoted_with_an_example(text):
    with pytest.raises(ConfigError, match=r"Expected a mean; got '.{0,80}'\. Write for example 0\.5\.$"):
        numbers(text, "a mean", "0.5")


@pytest.mark.parametrize("text", ["", " ", "a", "3;8", "-1", "0.5", "+1", "3,", "३", "9" * 5000])
def test_what_is_no_whole_number_is_quoted_with_an_example(text):
    with pytest.raises(ConfigError, match=r"Expected classes; got '.{0,80}'\. Write for example 3, 8\.$"):
        whole_numbers(text, "classes", "3, 8")
