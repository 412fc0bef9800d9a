"""Reports read back as a reader sees them."""

import io
import re
from dataclasses import dataclass

import pytest
from pypdf import PdfReader

from aegis.report.pdf import make_pdf
from tests.report.made import made


@dataclass(frozen=True)
class Read:
    """A report: its bytes, the text of every page with single spaces, and how many pictures each page has."""

    pdf: bytes
    pages: tuple[str, ...]
    pictures: tuple[int, ...]

    @property
    def text(self):
        return " ".join(self.pages)


def report(scan, *, findings=None, data="its own", reviews=()):
    """A scan on paper, read back."""
    kept = scan.findings if findings is None else findings
    pdf = make_pdf(scan.record, kept, scan.data if data == "its own" else data, reviews)
    pages = PdfReader(io.BytesIO(pdf), strict=True).pages
    texts = tuple(re.sub(r"\s+", " ", page.extract_text()) for page in pages)
    return Read(pdf, texts, tuple(len(page.images) for page in pages))


def missing(text, *said):
    """What of this the text does not say."""
    return [one for one in said if one not in text]


@pytest.fixture(scope="session")
def infected():
    """A scan that flags class 2 of four."""
    return made()


@pytest.fixture(scope="session")
def whole(infected):
    """Its report."""
    return report(infected)
