"""The review while it is edited: saved to the store and written into the report; no Streamlit here."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from aegis.core.errors import AegisError, DataError, StoreError
from aegis.core.types import Dataset
from aegis.records.record import ScanRecord
from aegis.records.review import NO_REVIEW, Review
from aegis.services.report_inputs import find_findings
from aegis.store.store import Store

# Characters of a note; the report's first page still holds them.
NOTE = 2000
# Reports that stay in memory, some hundred kilobytes each.
PAPERS = 8


@dataclass(eq=False)
class Draft:
    """A scan's review as one session sees it; the store's review counts while the store can be used.

    Args:
        key: of the scan.
        review: as last seen.
        last: as the store last had it.
        kept: whether the store has it.
        problem: why not, or empty.
    """

    key: str
    review: Review = NO_REVIEW
    last: Review = NO_REVIEW
    kept: bool = True
    problem: str = ""

    def refresh(self, record: ScanRecord) -> Review:
        """Read the review again, with other sessions' changes.

        Args:
            record: the scan.

        Returns:
            The review.
        """
        if self.kept:
            try:
                self.last = self.review = fitting(Store().find_review(self.key) or NO_REVIEW, record)
                self.problem = ""
            except StoreError as error:
                self.problem = str(error)
        return self.review

    def change(self, record: ScanRecord, change: Callable[[Review], Review]) -> None:
        """Change the review and save it; on failure the change stays in the draft.

        Args:
            record: the scan.
            change: makes the new review of the old one.
        """
        self.review, self.kept = fitting(change(self.refresh(record)), record), False
        try:
            # Other sessions may have decided meanwhile, so the store merges both reviews.
            self.last = self.review = fitting(Store().keep_review(self.key, self.review, since=self.last), record)
            self.kept, self.problem = True, ""
        except StoreError as error:
            self.problem = str(error)


def fitting(review: Review, record: ScanRecord) -> Review:
    """Drop the parts of a review that the page cannot show.

    Args:
        review: as it was saved.
        record: the scan.

    Returns:
        The review with a note that is not too long, and decisions about this scan's classes only.
    """
    decisions = {
        one.label: decision
        for one in record.classes
        if (decision := review.decisions.get(one.label)) and (one.flagged or decision == "confirmed")
    }
    return Review(review.note[:NOTE], decisions)


@dataclass(eq=False)
class ReportCache:
    """The latest reports; one that is being made is waited for, not made twice.

    Args:
        made: PDF files by the digest of their content.
        lock: held while reports are made.
    """

    made: dict[str, bytes] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def find(
        self, record: ScanRecord, at_hand: Collection[int], images: Dataset | None, review: Review
    ) -> bytes | None:
        """Find a report that was made before.

        Args:
            record: the scan.
            at_hand: labels of the classes whose evidence is thought to be at hand.
            images: of the scan, or None if they are gone.
            review: what the analyst adds.

        Returns:
            The PDF file; None if it was not made yet.
        """
        return self.made.get(_content(record, at_hand, images, review))

    def make(self, record: ScanRecord, at_hand: Collection[int], images: Dataset | None, review: Review) -> bytes:
        """Make the PDF of a scan and its review.

        Args:
            record: the scan.
            at_hand: labels of the classes whose evidence is thought to be at hand.
            images: of the scan, or None if they are gone.
            review: what the analyst adds.

        Returns:
            The PDF file.

        Raises:
            AegisError: if it cannot be made.
        """
        content = _content(record, at_hand, images, review)
        with self.lock:
            if content not in self.made:
                paper, found = _make(record, images, review)
                # Evidence may have appeared or gone meanwhile, which makes another report.
                if found != set(at_hand):
                    return paper
                self.made[content] = paper
                while len(self.made) > PAPERS:
                    del self.made[next(iter(self.made))]
            return self.made[content]


def _content(record: ScanRecord, at_hand: Collection[int], images: Dataset | None, review: Review) -> str:
    parts = (record.model_dump_json(), sorted(at_hand), images and images.digest, review.note, review.decisions)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _make(record: ScanRecord, images: Dataset | None, review: Review) -> tuple[bytes, set[int]]:
    findings, _ = find_findings(record)
    try:
        # Fonts and figures take a second to import.
        from aegis.report.pdf import make_pdf

        return make_pdf(record, findings, images, review), set(findings)
    except AegisError:
        raise
    except Exception as error:  # the libraries that draw and set pages raise whatever they stumble over
        raise DataError(
            "a scan that can be put on paper", type(error).__name__, "The scan itself is not affected."
        ) from error
