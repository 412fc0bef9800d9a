"""Text from outside in the report's markup."""

import pytest
from reportlab.pdfbase import pdfmetrics

from aegis.report.words import CHINESE, KOREAN, MISSING, WIDE, lines, words


@pytest.mark.parametrize("text", ["plain", "naïve café", "1 < 2 & 3 > 2", "<para><b>", "&lt;"])
def test_what_the_font_has_is_only_escaped(text):
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert words(text) == escaped


@pytest.mark.parametrize(
    ("text", "font"),
    [("κόσμος", WIDE), ("Привет", WIDE), ("✓", WIDE), ("汉字", CHINESE), ("かな", CHINESE), ("한국", KOREAN)],
)
def test_other_writing_gets_a_font_that_has_it(text, font):
    assert words(text) == f'<font name="{font}">{text}</font>'
    assert pdfmetrics.stringWidth(text, font, 10) > 5 * len(text) / 2


def test_what_no_font_has_is_replaced():
    assert words("a🐴b") == f'a<font name="{WIDE}">{MISSING}</font>b'


def test_lines_are_kept_and_control_characters_are_not():
    assert lines("one\n<two>\n\nthree") == "one<br/>&lt;two&gt;<br/><br/>three"
    assert words("a\x1b[31m\u202eb") == "a\\x1b[31m\\u202eb"


def test_long_text_is_cut():
    assert words("x" * 500, 20) == "x" * 17 + "..."
