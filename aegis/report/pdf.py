"""Writes a scan as a PDF; the same scan and reviews give the same bytes."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime

from reportlab.platypus import Flowable

from aegis.core.errors import DataError
from aegis.core.text import printable
from aegis.core.types import Dataset, Finding
from aegis.core.version import __version__
from aegis.records.ranking import featured
from aegis.records.record import ScanRecord
from aegis.records.review import Reviews
from aegis.report.classes import class_pages, class_table
from aegis.report.first import first_page
from aegis.report.layout import build
from aegis.report.method import method_pages
from aegis.report.words import words

# Both libraries keep fonts and settings in global variables, and several people may ask for reports at once.
_ONE_AT_A_TIME = threading.Lock()


def make_pdf(record: ScanRecord, findings: Mapping[int, Finding], data: Dataset | None, reviews: Reviews = ()) -> bytes:
    """Writes the report of a scan as PDF.

    Args:
        record: the scan, from which the numbers come.
        findings: by label, from which the pictures of the classes in ``featured`` come; classes may be missing.
        data: the scan's images, or None if they are gone; the report says what is missing.
        reviews: what analysts add, the latest last.

    Returns:
        The file's content.

    Raises:
        DataError: if the images are not the scan's.
    """
    if data is not None and data.digest != record.data.digest:
        raise DataError(
            f"the images of the scan ({printable(record.data.name)})",
            "other ones",
            "Give the data set that was scanned.",
        )
    by_label = {found.label: found for found in record.classes}
    with _ONE_AT_A_TIME:
        story: list[Flowable] = first_page(record, findings, data, reviews)
        for label in featured(record):
            story += class_pages(by_label[label], record, findings, data, reviews)
        story += class_table(record, reviews)
        story += method_pages(record)
        digest = words(record.model.sha256, 64)
        return build(
            story,
            title=f"AEGIS verdict: {printable(record.model.file, 120)}",
            date=_date(record, reviews),
            left=f"AEGIS {__version__}",
            middle=f'SHA-256 <font name="Courier" size="7">{digest}</font>',
        )


def _date(record: ScanRecord, reviews: Reviews) -> datetime | None:
    """The date of what is in the report: of its latest review, else of the scan; None where nobody knows it."""
    for written in (*(review.created for review in reversed(reviews)), record.created):
        try:
            return datetime.fromisoformat(written).astimezone(UTC)
        except ValueError:
            continue
    return None
