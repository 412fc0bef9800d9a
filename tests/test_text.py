"""Text from outside, and numbers as people read them."""

import pytest

from aegis.text import control_character, percent


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.0, "100%"),
        (0.5, "50%"),
        (0.123, "12%"),
        (0.0123, "1.2%"),
        (0.01, "1%"),
        (0.00023, "0.023%"),
        (0.0001, "0.01%"),
        (0.0000001, "0.01%"),
        (0.0, "0.01%"),
    ],
)
def test_a_share_has_two_digits_and_is_never_nothing(share, said):
    assert percent(share) == said


@pytest.mark.parametrize(
    ("text", "found"),
    [("plain, κόσμος, 汉字", None), ("a\x1b[31m", "U+001B"), ("a\nb", "U+000A"), ("a\u202eb", "U+202E")],
)
def test_what_could_forge_a_line_is_found(text, found):
    assert control_character(text) == found
