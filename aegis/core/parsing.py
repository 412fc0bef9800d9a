"""Parses comma-separated numbers as people type them."""

from __future__ import annotations

import math

from aegis.core.errors import ConfigError
from aegis.core.text import printable

# Longest whole number that is read: no class has a label of more digits.
DIGITS = 9


def numbers(text: str, expected: str, example: str) -> tuple[float, ...]:
    """Parses comma-separated finite numbers.

    Args:
        text: the text as typed.
        expected, example: parts of the error message: what is expected, and an example of it.

    Returns:
        The numbers in the order of the text.

    Raises:
        ConfigError: if the text holds anything else.
    """
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = (math.nan,)
    if not all(map(math.isfinite, found)):
        raise _error(text, expected, example)
    return found


def whole_numbers(text: str, expected: str, example: str) -> tuple[int, ...]:
    """Parses comma-separated whole numbers of at least 0.

    Args:
        text: the text as typed.
        expected, example: parts of the error message: what is expected, and an example of it.

    Returns:
        The numbers in the order of the text, each once.

    Raises:
        ConfigError: if the text holds anything else, or a number of more than ``DIGITS`` digits.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= DIGITS for part in parts):
        raise _error(text, expected, example)
    return tuple(dict.fromkeys(map(int, parts)))


def _error(text: str, expected: str, example: str) -> ConfigError:
    return ConfigError(expected, repr(printable(text)), f"Write for example {example}.")
