"""Paper, styles, footers and the building blocks of every page; markup must come escaped (see ``words``)."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from reportlab.graphics.shapes import Circle, Drawing, Path
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, Image, PageTemplate, Paragraph, Table, TableStyle

from aegis.core.text import label_with_name
from aegis.report.words import words

MARGIN, FOOT = 18 * mm, 20 * mm
WIDTH = A4[0] - 2 * MARGIN
# Rows of a table close to each other.
NEAR = [("TOPPADDING", (0, 0), (-1, -1), 1), ("BOTTOMPADDING", (0, 0), (-1, -1), 1)]
INK, MUTED, RULE, SHADE = (HexColor(colour) for colour in ("#16202c", "#5a6878", "#d5dde7", "#f2f5f9"))
# The dashboard's colours: blue for benign, vermilion for flagged, amber for inconclusive.
ACCENT = {"infected": "#c2470a", "clean": "#0b62a8", "inconclusive": "#8a6100"}

_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9, leading=12.5, textColor=INK, spaceAfter=4)
STYLES = {
    "body": _BODY,
    "cell": ParagraphStyle("cell", _BODY, fontSize=8, leading=10, spaceAfter=0),
    "head": ParagraphStyle("head", _BODY, fontSize=8, leading=10, spaceAfter=0, textColor=MUTED),
    "right": ParagraphStyle("right", _BODY, fontSize=8, leading=10, spaceAfter=0, alignment=2),
    "caption": ParagraphStyle("caption", _BODY, fontSize=8, leading=10, textColor=MUTED),
    "centred": ParagraphStyle("centred", _BODY, fontSize=8, leading=10, spaceAfter=0, alignment=1),
    "code": ParagraphStyle("code", _BODY, fontName="Courier", fontSize=8, leading=10, spaceAfter=0),
    "lead": ParagraphStyle("lead", _BODY, fontSize=11, leading=15, spaceAfter=0),
    "title": ParagraphStyle("title", _BODY, fontName="Helvetica-Bold", fontSize=17, leading=21, spaceAfter=6),
    "section": ParagraphStyle(
        "section", _BODY, fontName="Helvetica-Bold", fontSize=11.5, leading=15, spaceBefore=9, spaceAfter=4
    ),
    "item": ParagraphStyle("item", _BODY, leftIndent=10, bulletIndent=1, spaceAfter=2),
}


def text(markup: str, style: str = "body") -> Paragraph:
    """Makes a paragraph.

    Args:
        markup: its text.
        style: name of one of the styles of this module.
    """
    return Paragraph(markup, STYLES[style])


def item(markup: str) -> Paragraph:
    """Makes a line of a list.

    Args:
        markup: its text.
    """
    return Paragraph(markup, STYLES["item"], bulletText="\u2022")


def heading(markup: str, style: str = "section") -> Paragraph:
    """Makes a heading that never stands alone at the foot of a page.

    Args:
        markup: its text.
        style: name of one of the styles of this module.
    """
    paragraph = text(markup, style)
    paragraph.keepWithNext = 1
    return paragraph


def picture(file: io.BytesIO, width: float | None = None, height: float | None = None) -> Image:
    """Makes a picture of a given width or height, never wider than the text.

    Args:
        file: PNG file.
        width, height: in points; one of the two is enough.
    """
    across, up = ImageReader(file).getSize()
    file.seek(0)
    width = WIDTH if width is None and height is None else width
    width = height * across / up if width is None and height is not None else width
    assert width is not None
    width = min(width, WIDTH)
    return Image(file, width, width * up / across)


def table(rows: Sequence[Sequence[Any]], widths: Sequence[float], *style: tuple[Any, ...], header: int = 0) -> Table:
    """Makes a table with cells aligned at the top.

    Args:
        rows: cells.
        widths: of the columns, in points.
        style: further commands of reportlab's ``TableStyle``.
        header: number of rows that are repeated on every page.
    """
    common: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 6),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
    if header:
        common.append(("LINEBELOW", (0, header - 1), (-1, header - 1), 0.8, MUTED))
        common.append(("LINEBELOW", (0, header), (-1, -1), 0.4, RULE))
    return Table(rows, widths, style=TableStyle([*common, *style]), repeatRows=header, hAlign="LEFT")


def logo(side: float) -> Drawing:
    """Draws the logo, as in ``assets/logo.svg``.

    Args:
        side: width and height in points.
    """
    scale = side / 64
    drawing = Drawing(side, side)
    shield = Path(fillColor=HexColor("#0b62a8"), strokeColor=None)
    points = [(32, 3), (57, 11), (57, 31), (57, 46, 47, 56, 32, 61), (17, 56, 7, 46, 7, 31), (7, 11)]
    for i, point in enumerate(points):
        # The picture's vertical axis points down, the paper's up.
        moved = [scale * (64 - value if j % 2 else value) for j, value in enumerate(point)]
        (shield.moveTo if i == 0 else shield.lineTo if len(point) == 2 else shield.curveTo)(*moved)
    shield.closePath()
    drawing.add(shield)
    benign = [(22, 22.5), (31, 19.5), (28, 28), (19.5, 31.5), (36.5, 25.5)]
    for colour, centres in (("#ffffff", benign), ("#ffa05c", [(41, 39), (34.5, 44.5)])):
        for x, y in centres:
            dot = Circle(scale * x, scale * (64 - y), scale * 3.3, fillColor=HexColor(colour), strokeColor=None)
            drawing.add(dot)
    return drawing


class Outline(Flowable):  # type: ignore[misc]  # the library has no types
    """Adds an entry to the reader's table of contents, for the place where it stands.

    Args:
        title: of the entry.
        key: tells it from other entries.
    """

    def __init__(self, title: str, key: str) -> None:
        super().__init__()
        self.title, self.key = title, key
        self.keepWithNext = 1

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        return 0, 0

    def draw(self) -> None:
        self.canv.bookmarkHorizontal(self.key, 0, 24)
        self.canv.addOutlineEntry(self.title, self.key, 0)


class _Numbered(Canvas):  # type: ignore[misc]
    """Holds pages back until their number is known, for the footers."""

    def __init__(
        self, file: io.BytesIO, footer: Callable[[Canvas, int, int], None], date: datetime | None, **settings: object
    ) -> None:
        super().__init__(file, **settings)
        if date is not None:
            # The library's own date would be that of the day, or one that stands for none.
            self.setDateFormatter(lambda *_: f"D:{date:%Y%m%d%H%M%S}+00'00'")
        self.footer, self.held = footer, list[dict[str, Any]]()

    def showPage(self) -> None:
        self.held.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, state in enumerate(self.held, 1):
            self.__dict__.update(state)
            self.footer(self, number, len(self.held))
            super().showPage()
        super().save()


def build(story: list[Flowable], *, title: str, date: datetime | None, left: str, middle: str) -> bytes:
    """Writes the document as PDF; the same parts give the same bytes.

    Args:
        story: parts of the document in order.
        title, date: in the properties of the document; the date in UTC.
        left, middle: markup at the foot of every page, beside its number.

    Returns:
        The file's content.
    """

    def footer(canvas: Canvas, page: int, pages: int) -> None:
        canvas.setStrokeColor(RULE)
        canvas.line(MARGIN, FOOT - 6, A4[0] - MARGIN, FOOT - 6)
        for x, style, markup in (
            (MARGIN, "head", left),
            (MARGIN + 0.16 * WIDTH, "head", middle),
            (MARGIN, "right", f"Page {page} of {pages}"),
        ):
            paragraph = text(markup, style)
            _, height = paragraph.wrap(A4[0] - MARGIN - x, FOOT)
            paragraph.drawOn(canvas, x, FOOT - 9 - height)

    file = io.BytesIO()
    frame = Frame(
        MARGIN, FOOT, WIDTH, A4[1] - FOOT - 16 * mm, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0
    )
    document = BaseDocTemplate(
        file,
        pagesize=A4,
        invariant=1,
        title=title,
        author="AEGIS",
        lang="en",
        pageTemplates=[PageTemplate(frames=[frame])],
    )
    document.build(story, canvasmaker=partial(_Numbered, footer=footer, date=date))
    return file.getvalue()


def facts(rows: Sequence[tuple[str, str | Paragraph]], first: float = 82) -> Table:
    """Makes a table of names and values.

    Args:
        rows: names, and values as markup or a paragraph.
        first: width of the names in points.
    """
    cells = [[text(name, "head"), text(value, "cell") if isinstance(value, str) else value] for name, value in rows]
    return table(cells, [first, WIDTH - first], *NEAR)


def class_name(label: int, name: str, limit: int = 60) -> str:
    """Writes a class's number and name, each once.

    Args:
        label: the class.
        name: of the class, from outside.
        limit: characters of the name.

    Returns:
        Markup.
    """
    return label_with_name(label, words(name, limit))
