"""Reports read back as a reader sees them."""

import io
import re
from dataclasses import dataclass

import pytest
from pypdf import PdfReader

from aegis.records.review import Review
from aegis.report.pdf import make_pdf
from tests.report.made import made


@dataclass(frozen=True)
class Read:
    """The text of every page, and how many pictures it has; spaces are single and lines are one."""

    pages: tuple[str, ...]
    pictures: tuple[int, ...]

    @property
    def text(self):
        return " ".join(self.pages)


def read(pdf):
    reader = PdfReader(io.BytesIO(pdf), strict=True)
    pages = tuple(re.sub(r"\s+", " ", page.extract_text()) for page in reader.pages)
    return Read(pages, tuple(len(page.images) for page in reader.pages))


def report(scan, *, findings=None, data="its own", review=None):
    """A scan on paper, read back."""
    kept = scan.findings if findings is None else findings
    images = scan.data if data == "its own" else data
    return read(make_pdf(scan.record, kept, images, review or Review()))


@pytest.fixture(scope="session")
def infected():
    return made()


@pytest.fixture(scope="session")
def clean():
    return made(rates=(0.1, 0.2, 0.15, 0.05))
