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


def percent(share: float) -> str:
    """A share in [0, 1], a small one with two digits, but none below a hundredth of a percent."""
    return f"{share:.0%}" if share >= 0.095 else f"{100 * max(share, 0.0001):.2g}%"
