"""Text from outside, before it reaches terminals and pages."""

from __future__ import annotations

import unicodedata

_BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def control_character(text: str) -> str | None:
    """The first character that could forge what is shown: an escape, a line break, reversed writing; or None."""
    for c in text:
        if unicodedata.category(c) in ("Cc", "Zl", "Zp") or unicodedata.bidirectional(c) in _BIDIRECTIONAL:
            return f"U+{ord(c):04X}"
    return None
