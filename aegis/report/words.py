"""Turns text from outside into markup: escaped, and each character in a font that has it."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import matplotlib
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

from aegis.core.text import printable

# Every reader has Helvetica. What it lacks comes from the font that matplotlib brings along, and Chinese,
# Japanese and Korean from the fonts that readers have for them, since none is small enough to be bundled.
WIDE, CHINESE, KOREAN = "DejaVuSans", "STSong-Light", "HYSMyeongJo-Medium"
MISSING = "\ufffd"


def words(text: str, limit: int = 200) -> str:
    """Escapes one line of text, with a font for every character.

    Args:
        text: from outside.
        limit: characters that are kept.

    Returns:
        Markup.
    """
    return _in_fonts(printable(text, limit))


def lines(text: str, limit: int = 20_000) -> str:
    """Escapes text and keeps its line breaks, with a font for every character.

    Args:
        text: from outside.
        limit: characters that are kept.

    Returns:
        Markup.
    """
    return "<br/>".join(_in_fonts(printable(line, limit)) for line in text[:limit].splitlines())


def _in_fonts(text: str) -> str:
    parts = []
    for font, run in groupby(text, key=_font_of):
        shown = escape("".join(run))
        if font is None:
            shown, font = MISSING * len(shown), WIDE
        parts.append(f'<font name="{font}">{shown}</font>' if font else shown)
    return "".join(parts)


def _font_of(character: str) -> str | None:
    """Empty for the paragraph's own font, None if no font has the character."""
    try:
        character.encode("cp1252")
        return ""
    except UnicodeEncodeError:
        pass
    code = ord(character)
    if code in _register():
        return WIDE
    if 0x1100 <= code <= 0x11FF or 0x3130 <= code <= 0x318F or 0xAC00 <= code <= 0xD7A3:
        return KOREAN
    if 0x2E80 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0xFF00 <= code <= 0xFFEF:
        return CHINESE
    return None


@cache
def _register() -> frozenset[int]:
    """Makes the fonts known, and tells which characters the wide one has."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    bold = f"{WIDE}-Bold"
    pdfmetrics.registerFont(TTFont(WIDE, folder / "DejaVuSans.ttf"))
    pdfmetrics.registerFont(TTFont(bold, folder / "DejaVuSans-Bold.ttf"))
    pdfmetrics.registerFontFamily(WIDE, normal=WIDE, bold=bold, italic=WIDE, boldItalic=bold)
    for name in (CHINESE, KOREAN):
        pdfmetrics.registerFont(UnicodeCIDFont(name))
        pdfmetrics.registerFontFamily(name, normal=name, bold=name, italic=name, boldItalic=name)
    glyphs = (set(pdfmetrics.getFont(name).face.charToGlyph) for name in (WIDE, bold))
    return frozenset(set.intersection(*glyphs))
