"""Text from outside, before it reaches terminals and pages."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

# What a spreadsheet would take for a formula.
FORMULA = ("=", "+", "-", "@")

_BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def control_character(text: str) -> str | None:
    """The first character that could forge or break what is shown; or None.

    These are escapes, line breaks, reversed writing, and halves of characters, which no file can be written with.
    """
    for c in text:
        if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(c) in _BIDIRECTIONAL:
            return f"U+{ord(c):04X}"
    return None


def escaped(text: str) -> str:
    """Text on one line and without anything that cannot be seen: such characters stand as their escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable(text: str, limit: int = 80) -> str:
    """Text from outside as it may stand in a message: one line, no control characters, not long."""
    safe = escaped(text[: limit + 1])
    return safe if len(safe) <= limit else safe[: limit - 3] + "..."


def numbered(label: int, name: str, limit: int = 40) -> str:
    """A class by its number and name, each said once; the name may come from outside."""
    if name == str(label):
        return name
    return printable(name, limit) if _begins_with(label, name) else f"{label} {printable(name, limit)}"


def class_called(label: int, name: str) -> str:
    """A class by its number and name in a sentence, each said once; the name is given as it is."""
    if name == str(label) or _begins_with(label, name):
        return f"class {name}"
    return f"class {label} ({name})"


def _begins_with(label: int, name: str) -> bool:
    """Whether a name has its class's number in front, such as *7_sneaker*."""
    number = str(label)
    return name.startswith(number) and name[len(number) : len(number) + 1] in {"_", "-", ":", ".", " "}


def percent(share: float) -> str:
    """A share in [0, 1], a small one with two digits, but none below a hundredth of a percent."""
    return f"{share:.0%}" if share >= 0.095 else f"{100 * max(share, 0.0001):.2g}%"


def minute(moment: str) -> str:
    """A time in ISO 8601 as people read it, to the minute."""
    return printable(moment[:16].replace("T", " "), 16)


def count_of(number: int, noun: str) -> str:
    """A number with its noun."""
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{number} {noun if number == 1 else plural}"


def first_fault(error: ValidationError) -> str:
    """The first thing that is wrong with data from outside: its field, if it is of one, and what is expected there."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return printable(f"{where}: {first['msg']}" if where else first["msg"], 200)


def cell(text: str, limit: int = 120) -> str:
    """Text from outside in a table that a spreadsheet may open."""
    safe = printable(text, limit)
    return f"'{safe}" if safe.startswith(FORMULA) else safe
