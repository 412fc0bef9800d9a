"""Collects images and evidence for a report, and says in words what of them is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from aegis.core.errors import AegisError, DataError
from aegis.core.folders import default_folder
from aegis.core.text import printable
from aegis.core.types import Dataset, Finding
from aegis.data.reader import load_as_recorded
from aegis.records.ranking import featured
from aegis.records.record import ScanRecord
from aegis.records.review import Review
from aegis.store.cached_steps import find_class
from aegis.store.store import Store

T = TypeVar("T")


def find_images(
    record: ScanRecord, source: str | None = None, load: Callable[[str], Dataset] | None = None
) -> tuple[Dataset | None, str]:
    """Loads the images of a scan, checked against the recorded digest.

    Args:
        record: the scan.
        source: name or path that the user gives; None for the recorded name.
        load: reads images by name or path; None reads them as they were read for the scan.

    Returns:
        The images or None, and the reason in words where there are none.

    Raises:
        DataError: if ``source`` names no images, or others.
    """
    try:
        name = source or record.data.name
        images = load(name) if load else load_as_recorded(name, record.data.digest, record.data.shape)
        if images.digest != record.data.digest:
            raise DataError(
                "the images that were scanned", f"others under {printable(images.name, 200)}", "Name them with --data."
            )
    except DataError as error:
        if source is not None:
            raise
        return None, f"the scan's images ({error.got})"
    return images, ""


def find_findings(record: ScanRecord) -> tuple[dict[int, Finding], str]:
    """Reads the classes that a report shows from the store.

    Returns:
        Findings by label, and in words what the store has lost; empty if nothing.
    """
    return find_featured(record, lambda record, label: find_class(Store(), record, label))


def find_reviews(record: ScanRecord) -> tuple[Review, ...]:
    """Reads what analysts wrote of a scan; nothing where the store has not this scan, or cannot be used."""
    try:
        store = Store()
        key = store.find_key(record)
        return store.reviews_of(key) if key else ()
    except AegisError:
        return ()


def find_featured(record: ScanRecord, find: Callable[[ScanRecord, int], T | None]) -> tuple[dict[int, T], str]:
    """Reads something of each class that a report shows.

    Args:
        record: the scan.
        find: reads it for a label; None if it is lost.

    Returns:
        The results by label, and in words what is lost; empty if nothing.
    """
    shown = featured(record)
    try:
        found = {label: find(record, label) for label in shown}
    except AegisError as error:
        return {}, f"what was computed ({error.got})"
    kept = {label: thing for label, thing in found.items() if thing is not None}
    lost = ", ".join(str(label) for label in shown if label not in kept)
    return kept, f"{default_folder()} no longer has what was computed for class {lost}" if lost else ""


def say_missing(*reasons: str) -> str:
    """Says in one sentence what a report has to leave out.

    Args:
        reasons: in words; empty ones are left out.

    Returns:
        The sentence; empty where nothing is missing.
    """
    given = [reason for reason in reasons if reason]
    return f"Some pictures are missing: {'; '.join(given)}." if given else ""
