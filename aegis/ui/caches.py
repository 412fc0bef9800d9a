"""What the sessions of one server share: measurements, images and uploads; no Streamlit here."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from aegis.core.errors import DataError
from aegis.core.text import printable
from aegis.core.types import Applicability, Dataset
from aegis.data import SOURCES, load_dataset
from aegis.data.reader import load_as_recorded
from aegis.records.record import ScanRecord
from aegis.services.report_inputs import find_images
from aegis.ui.uploads import UPLOADED

if TYPE_CHECKING:
    from aegis.models.load import Suspect

# Uploads of so many scans stay at hand for their results; more would fill the memory.
SHELVED = 3


@dataclass(frozen=True, eq=False)
class Uploads:
    """The uploads of one scan, as they were read.

    Args:
        images: None if they were not uploaded.
        suspect: None if it was not uploaded.
    """

    images: Dataset | None = None
    suspect: Suspect | None = None


@dataclass
class UploadCache:
    """Measurements by fingerprint, and uploads by the key of their scan, which nobody can guess.

    Args:
        measured: accuracy and robustness by fingerprint.
        uploads: by the key of their scan, the latest last.
        lock: held while either is changed.
    """

    measured: dict[tuple[str, ...], Applicability] = field(default_factory=dict)
    uploads: OrderedDict[str, Uploads] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, key: str, uploads: Uploads) -> None:
        """Keeps the uploads of a scan, for its results."""
        with self.lock:
            self.uploads[key] = uploads
            self.uploads.move_to_end(key)
            while len(self.uploads) > SHELVED:
                self.uploads.popitem(last=False)


def named_images(source: str) -> Dataset:
    """Loads a data set once for all pages and jobs."""
    return _read(source)


def look_for_images(record: ScanRecord, key: str, upload_cache: UploadCache) -> tuple[Dataset | None, str]:
    """Loads the images of a finished scan, or says why that is impossible.

    Args:
        record: the scan.
        key: of the scan.
        upload_cache: where uploads are.

    Returns:
        The images or None, and the reason in words where there are none.
    """
    kept = upload_cache.uploads.get(key)
    if kept is not None and kept.images is not None:
        return kept.images, ""

    def load(name: str) -> Dataset:
        # The name of an upload is not a path.
        if name.startswith(UPLOADED):
            raise DataError("images that are kept", "uploaded, and gone", "Upload them again.")
        if name in SOURCES and (images := named_images(name)).digest == record.data.digest:
            return images
        # The files at a user's own path may have changed, or a scan had the images scaled.
        return _read(name, record.data.digest, record.data.shape)

    return find_images(record, load=load)


def is_upload(record: ScanRecord) -> bool:
    """Tells whether the model or the images of a scan came from a browser."""
    return record.model.file.startswith(UPLOADED) or record.data.name.startswith(UPLOADED)


@lru_cache(maxsize=3)
def _read(source: str, digest: str = "", shape: tuple[int, int, int] | None = None) -> Dataset:
    images = load_as_recorded(source, digest, shape) if shape else load_dataset(source)
    # Raised inside the cached function, so that wrong images are not cached: the right ones may return.
    if digest not in ("", images.digest):
        raise DataError("the images that were scanned", f"others under {printable(source, 200)}", "Put them back.")
    return images
