"""Makes text from outside safe to show on terminals and pages, and formats numbers and names."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

# First characters that make a spreadsheet read a cell as a formula.
FORMULA = ("=", "+", "-", "@")

_BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def control_character(text: str) -> str | None:
    """Finds the first character that could forge or break what is shown.

    These are escapes, line breaks, marks that reverse the direction of writing, and unpaired surrogates, which no file
    can hold.

    Args:
        text: any text.

    Returns:
        The character as ``U+XXXX``, or None if there is none.
    """
    for c in text:
        if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(c) in _BIDIRECTIONAL:
            return f"U+{ord(c):04X}"
    return None


def escaped(text: str) -> str:
    """Replaces invisible characters by their escapes, so that the text stands on one line.

    Args:
        text: any text.

    Returns:
        The text with printable characters only.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable(text: str, limit: int = 80) -> str:
    """Makes text from outside safe for a message: on one line, without control characters, and not too long.

    Args:
        text: any text.
        limit: the most characters, at least 3; longer text is cut and ends in dots.

    Returns:
        The safe text.
    """
    safe = escaped(text[: limit + 1])
    return safe if len(safe) <= limit else safe[: limit - 3] + "..."


def numbered(label: int, name: str, limit: int = 40) -> str:
    """Names a class by number and name, such as *7 sneaker*, without saying the number twice.

    Args:
        label: the class.
        name: its name, which may come from outside.
        limit: the most characters of the name.

    Returns:
        The name alone if it begins with the number, else both.
    """
    if name == str(label):
        return name
    return printable(name, limit) if _begins_with(label, name) else f"{label} {printable(name, limit)}"


def class_called(label: int, name: str) -> str:
    """Names a class inside a sentence, such as *class 7 (sneaker)*, without saying the number twice.

    Args:
        label: the class.
        name: its name, which is not shortened or escaped.

    Returns:
        The words, beginning with *class*.
    """
    return f"class {label_with_name(label, name)}"


def label_with_name(label: int, name: str) -> str:
    """Writes a class as *7 (sneaker)*, or as its name alone where that begins with the number.

    Args:
        label: the class.
        name: its name, as it is shown.

    Returns:
        Number and name, each once.
    """
    return name if name == str(label) or _begins_with(label, name) else f"{label} ({name})"


def _begins_with(label: int, name: str) -> bool:
    """Tells whether a name begins with the number of its class, such as *7_sneaker*."""
    number = str(label)
    return name.startswith(number) and name[len(number) : len(number) + 1] in {"_", "-", ":", ".", " "}


def percent(share: float) -> str:
    """Formats a share as a percentage; small ones with two digits, and none below a hundredth of a percent.

    Args:
        share: in [0, 1].

    Returns:
        The percentage with its sign.
    """
    return f"{share:.0%}" if share >= 0.095 else f"{100 * max(share, 0.0001):.2g}%"


def minute(moment: str) -> str:
    """Formats an ISO 8601 time to the minute.

    Args:
        moment: the time, such as ``2025-01-31T12:34:56``.

    Returns:
        Date and time with a space between.
    """
    return printable(moment[:16].replace("T", " "), 16)


def count_of(number: int, noun: str) -> str:
    """Writes a number with its noun, in the plural where the number is not 1.

    Args:
        number: the count.
        noun: the noun in the singular.

    Returns:
        Both, such as *2 classes*.
    """
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{number} {noun if number == 1 else plural}"


def spoken(span: float) -> str:
    """Says a duration in words.

    Args:
        span: in seconds.

    Returns:
        Words such as *2 minutes*.
    """
    if span < 10:
        return "less than 10 seconds"
    if span < 90:
        return f"about {round(span, -1):.0f} seconds"
    if span < 90 * 60:
        return f"about {span / 60:.0f} minutes"
    return f"about {span / 3600:.1f} hours"


def first_fault(error: ValidationError) -> str:
    """Describes the first error that pydantic found in data from outside.

    Args:
        error: pydantic's exception.

    Returns:
        The field, if the error has one, and what is expected there, at most 200 characters.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return printable(f"{where}: {first['msg']}" if where else first["msg"], 200)


def cell(text: str, limit: int = 120) -> str:
    """Makes text from outside safe for a table that a spreadsheet may open.

    Args:
        text: any text.
        limit: the most characters.

    Returns:
        The safe text, with a quotation mark in front where a spreadsheet would read a formula.
    """
    safe = printable(text, limit)
    return f"'{safe}" if safe.startswith(FORMULA) else safe
