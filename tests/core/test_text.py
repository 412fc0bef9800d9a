"""Text from outside, and numbers as people read them."""

import pickle

import pytest
from pydantic import BaseModel, ValidationError, model_validator

from aegis.core.errors import AegisError
from aegis.core.text import control_character, count_of, first_fault, numbered, percent, printable


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (1.0, "100%"),
        (0.123, "12%"),
        (0.0123, "1.2%"),
        (0.00023, "0.023%"),
        (0.0000001, "0.01%"),
        (0.0, "0.01%"),
    ],
)
def test_a_share_has_two_digits_and_is_never_nothing(share, said):
    assert percent(share) == said


@pytest.mark.parametrize(
    ("text", "found"),
    # The last is half of a character, which no file can be written with.
    [
        ("plain, κόσμος, 汉字", None),
        ("a\x1b[31m", "U+001B"),
        ("a\nb", "U+000A"),
        ("a\u202eb", "U+202E"),
        ("a\udc80", "U+DC80"),
    ],
)
def test_what_could_forge_a_line_is_found(text, found):
    assert control_character(text) == found


def test_printable_text_is_one_short_line():
    assert printable("a\x1b[31m\nb") == r"a\x1b[31m\nb"
    assert printable("x" * 100, 10) == "xxxxxxx..."
    assert printable("Ünïcode 靴") == "Ünïcode 靴"


def test_messages_are_one_line_whatever_they_quote():
    error = AegisError("a\x1b[31m", "b\r\nc \u202e \ud800", "d\u200b")
    assert str(error) == r"Expected a\x1b[31m; got b\r\nc \u202e \ud800. d\u200b"
    assert pickle.loads(pickle.dumps(error)).got == error.got  # noqa: S301


@pytest.mark.parametrize(
    ("label", "name", "said"),
    [
        (7, "Sneaker", "7 Sneaker"),
        (7, "7", "7"),
        (7, "8", "7 8"),
        (7, "07", "7 07"),
        (7, "a\u202eb", r"7 a\u202eb"),
        (7, "x" * 41, "7 " + "x" * 37 + "..."),
    ],
)
def test_a_class_whose_name_is_its_number_has_one_of_them(label, name, said):
    assert numbered(label, name) == said


def test_numbers_have_their_nouns():
    assert [count_of(1, "class"), count_of(2, "class"), count_of(0, "pixel")] == ["1 class", "2 classes", "0 pixels"]


class Pair(BaseModel):
    """Two numbers, the smaller one first."""

    small: int
    large: int

    @model_validator(mode="after")
    def _in_order(self):
        if self.small > self.large:
            raise ValueError("the smaller one comes first")
        return self


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"small": "\x1b", "large": 1}, "small: Input should be a valid integer, unable to parse string as an integer"),
        ({"small": 2, "large": 1}, "Value error, the smaller one comes first"),
        ({}, "small: Field required"),
    ],
)
def test_the_first_fault_is_told_with_its_field(given, said):
    with pytest.raises(ValidationError) as refused:
        Pair.model_validate(given)
    assert first_fault(refused.value) == said
