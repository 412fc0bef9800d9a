"""Finished scans for pages: records by key, their images, findings and models; kept in memory by content."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from aegis import dossier
from aegis.data import SOURCES, load_dataset
from aegis.detect.cluster import cluster, cluster_translated
from aegis.detect.config import JudgeConfig
from aegis.detect.record import ScanRecord
from aegis.errors import DataError
from aegis.store import Store, find_class
from aegis.types import Clusters, Dataset, Embedding, Finding
from aegis.ui.scan_order import named_images
from aegis.ui.suspects import list_suspects, suspects_folder
from aegis.ui.uploads import UPLOADED

if TYPE_CHECKING:
    from aegis.models.classifier import Classifier

RECENT = 50


@dataclass(frozen=True, eq=False)
class Model:
    """A suspect in memory; sessions share it, so it is used under its lock."""

    classifier: Classifier
    lock: threading.Lock = field(default_factory=threading.Lock)


def recent_scans(limit: int = RECENT) -> dict[str, ScanRecord]:
    """The latest finished scans by key, newest first.

    Raises:
        StoreError: if the store cannot be used.
    """
    return dict(Store().scans(limit))


def find_scan(key: str) -> ScanRecord | None:
    """The record of a finished scan, or None.

    Raises:
        StoreError: if the store cannot be used.
    """
    return Store().find_scan(key)


def identity(record: ScanRecord) -> str:
    """SHA-256 of all that a record says, in hex: what is cached about a scan hangs on it."""
    return hashlib.sha256(record.model_dump_json().encode()).hexdigest()


def find_images(record: ScanRecord) -> Dataset | None:
    """The very images of a scan, or None where they are no longer to be had."""
    return look_for_images(record)[0]


def look_for_images(record: ScanRecord) -> tuple[Dataset | None, str]:
    """The very images of a scan; or None, and in words why."""

    def load(name: str) -> Dataset:
        # What a browser calls its upload is no path.
        if name.startswith(UPLOADED):
            raise DataError("images that are kept", "uploaded, and gone", "Upload them again.")
        return named_images(name) if name in SOURCES else _images(name, record.data.digest)

    return dossier.find_images(record, load=load)


@st.cache_resource(max_entries=3, show_spinner="Reading the scan's images")
def _images(name: str, digest: str) -> Dataset:
    return load_dataset(name)


def find_finding(record: ScanRecord, label: int) -> Finding | None:
    """One class of a scan as it was judged, without its model and its images; None if the store has lost it."""
    try:
        return _finding(str(Store().folder), identity(record), label, record)
    except _Lost:
        return None


@st.cache_resource(max_entries=12, show_spinner="Reading what the scan found")
def _finding(folder: str, identity: str, label: int, _record: ScanRecord) -> Finding:
    finding = find_class(Store(Path(folder)), _record, label)
    # An exception is not kept: a scan may bring back what is missing.
    if finding is None:
        raise _Lost
    return finding


class _Lost(Exception):
    pass


@st.cache_data(max_entries=512, show_spinner=False)
def clusters_at(
    identity: str, label: int, _embedding: Embedding, budget: float, config: JudgeConfig, alone: bool
) -> Clusters:
    """The clusters that a scan with these settings would find.

    Args:
        identity: of the record, by which results are kept.
        label: the class.
        budget: of the embedding, by which results are kept.
        config: with the bandwidth.
        alone: leave the training images out (Fig. 16).
    """
    return (cluster_translated if alone else cluster)(_embedding, config)


def find_suspect(sha256: str) -> Path | None:
    """The checkpoint of this digest in the folder of suspects, or None."""
    for path in list_suspects(suspects_folder()):
        try:
            status = path.stat()
            if path.is_file() and _file_digest(path, status.st_ino, status.st_size, status.st_mtime_ns) == sha256:
                return path
        except OSError:
            continue
    return None


@st.cache_data(max_entries=256, show_spinner=False)
def _file_digest(path: Path, *state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_model(record: ScanRecord) -> Model | None:
    """The suspect of a scan, or None where its file is no longer at hand or reads as another model.

    Raises:
        AegisError: if the file cannot be loaded.
    """
    path = find_suspect(record.model.sha256)
    return None if path is None else _model(record.model.digest, path, record)


@st.cache_resource(max_entries=2, show_spinner="Loading the suspect")
def _model(digest: str, path: Path, _record: ScanRecord) -> Model | None:
    from aegis.models.architectures import runs_foreign_code
    from aegis.models.load import load_checkpoint
    from aegis.runtime import choose_runtime

    architecture = _record.model.architecture
    # Code that a user named once is not run again because a record says so.
    if runs_foreign_code(architecture):
        return None
    suspect = load_checkpoint(
        path, architecture=architecture, shape=_record.data.shape, class_names=_record.data.class_names
    )
    if suspect.digest != digest:
        return None
    return Model(suspect.classifier.frozen(choose_runtime(workers=1)))
