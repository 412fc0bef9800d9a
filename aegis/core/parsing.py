"""Numbers as people type them, with commas between."""

from __future__ import annotations

import math

from aegis.core.errors import ConfigError
from aegis.core.text import printable

# Of a whole number; as many as no class, and longer than what a message need quote.
DIGITS = 9


def numbers(text: str, expected: str, example: str) -> tuple[float, ...]:
    """Comma-separated finite numbers.

    Args:
        text: as it was typed.
        expected, example: for the message.

    Raises:
        ConfigError: if they are none.
    """
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = (math.nan,)
    if not all(map(math.isfinite, found)):
        raise _error(text, expected, example)
    return found


def whole_numbers(text: str, expected: str, example: str) -> tuple[int, ...]:
    """Comma-separated whole numbers of at least 0, each once, in the order in which they were typed.

    Args:
        text: as it was typed.
        expected, example: for the message.

    Raises:
        ConfigError: if they are none, or have more than ``DIGITS`` digits.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) <= DIGITS for part in parts):
        raise _error(text, expected, example)
    return tuple(dict.fromkeys(map(int, parts)))


def _error(text: str, expected: str, example: str) -> ConfigError:
    return ConfigError(expected, repr(printable(text)), f"Write for example {example}.")
