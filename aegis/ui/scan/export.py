"""The report of a finished scan as a download, made when it is asked for and so never older than the reviews."""

from __future__ import annotations

import logging
from functools import partial

import streamlit as st

from aegis.core.errors import AegisError
from aegis.core.types import Dataset
from aegis.records.record import ScanRecord
from aegis.records.review import Reviews
from aegis.services.report_inputs import find_findings
from aegis.store.store import Store

log = logging.getLogger(__name__)


def offer_report(key: str, record: ScanRecord, images: Dataset | None, reviews: Reviews) -> None:
    """Shows the button that downloads the report.

    Args:
        key: of the scan in the store.
        record: the scan.
        images: of the scan, or None if they are gone.
        reviews: as the page knows them, for a store that can no longer be read.
    """
    st.download_button(
        "Export PDF",
        data=partial(report_of, key, record, images, reviews),
        file_name=f"aegis-verdict-{record.model.sha256[:12]}.pdf",
        mime="application/pdf",
        icon=":material/picture_as_pdf:",
        key="review-export",
        on_click="ignore",
        help="Its first page is for those who decide; evidence, method and all reviews follow.",
    )


def report_of(key: str, record: ScanRecord, images: Dataset | None, reviews: Reviews) -> bytes:
    """Makes the PDF of a scan with the reviews that are kept now.

    Args:
        key: of the scan in the store.
        record: the scan.
        images: of the scan, or None if they are gone.
        reviews: those to take where the store can no longer be read.
    """
    # Fonts and figures take a second to import.
    from aegis.report.pdf import make_pdf

    try:
        reviews = Store().reviews_of(key)
    except AegisError as error:
        log.warning("The report has the reviews that the page knew: %s", error)
    findings, _ = find_findings(record)
    return make_pdf(record, findings, images, reviews)
