"""Findings, clusters and models of finished scans, cached for pages by content."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from jaxtyping import Bool, Float32

from aegis.core.errors import AegisError
from aegis.core.types import CandidateTrigger, Clusters, Embedding, Finding
from aegis.detect.cluster import cluster, cluster_translated
from aegis.records.config import JudgeConfig
from aegis.records.ranking import candidate_of
from aegis.records.record import ScanRecord
from aegis.store.cached_steps import find_class
from aegis.store.store import Store
from aegis.ui.session import server_state
from aegis.ui.suspects import all_suspects, load_again

if TYPE_CHECKING:
    from aegis.models.classifier import Classifier
    from aegis.models.load import Suspect


@dataclass(frozen=True, eq=False)
class Model:
    """A suspect in memory; sessions share it and use it under its lock.

    Args:
        classifier: the model.
        lock: held while it is used.
    """

    classifier: Classifier
    lock: threading.Lock = field(default_factory=threading.Lock)


def identity(record: ScanRecord) -> str:
    """Hashes a record; cached results of a scan are kept under it."""
    return hashlib.sha256(record.model_dump_json().encode()).hexdigest()


def find_finding(record: ScanRecord, label: int) -> Finding | None:
    """Reads one class of a scan from the store, without its model and images.

    Returns:
        The finding; None if the store has lost it.
    """
    try:
        return _finding(str(Store().folder), identity(record), label, record)
    except _Lost:
        return None


@st.cache_resource(max_entries=12, show_spinner="Reading what the scan found")
def _finding(folder: str, identity: str, label: int, _record: ScanRecord) -> Finding:
    finding = find_class(Store(Path(folder)), _record, label)
    # Raised, since exceptions are not cached: another scan may restore what is missing.
    if finding is None:
        raise _Lost
    return finding


class _Lost(Exception):
    pass


@st.cache_data(max_entries=512, show_spinner=False)
def clusters_at(
    identity: str, label: int, _embedding: Embedding, budget: float, config: JudgeConfig, alone: bool
) -> Clusters:
    """Computes the clusters that a scan with these settings would find.

    Args:
        identity: of the record, by which results are cached.
        label: the class.
        _embedding: its points; not part of the cache's key.
        budget: of the embedding, an L2 radius.
        config: with the bandwidth.
        alone: leave the training images out (Fig. 16).
    """
    return (cluster_translated if alone else cluster)(_embedding, config)


@dataclass(frozen=True, eq=False)
class ClassSummary:
    """A small view of one class.

    Args:
        points: in the plane, at the last budget.
        is_translated: True for translated images.
        trigger: the strongest candidate, or None.
    """

    points: Float32[np.ndarray, "p 2"]
    is_translated: Bool[np.ndarray, " p"]
    trigger: CandidateTrigger | None


def summary_or_none(record: ScanRecord, label: int) -> ClassSummary | None:
    """Reads the small view of a class.

    Returns:
        The view; None if the store has lost it or cannot be read.
    """
    try:
        return summary_of(record, label)
    except AegisError:
        return None


def summary_of(record: ScanRecord, label: int) -> ClassSummary | None:
    """Reads the small view of a class; a store that cannot be read is an error.

    Returns:
        The view; None if the store has lost it.

    Raises:
        StoreError: if the record is of another version, or the store cannot be used.
    """
    try:
        return _read_summary(str(Store().folder), identity(record), label, record)
    except _Lost:
        return None


@st.cache_resource(max_entries=256, show_spinner=False)
def _read_summary(folder: str, identity: str, label: int, _record: ScanRecord) -> ClassSummary:
    finding = find_class(Store(Path(folder)), _record, label)
    if finding is None:
        raise _Lost
    last = finding.embeddings[-1]
    trigger = candidate_of(next(one for one in _record.classes if one.label == label), finding)
    return ClassSummary(last.points, last.is_translated, trigger)


def find_suspect(sha256: str) -> Path | None:
    """Finds a checkpoint in the folder of suspects by its digest.

    Args:
        sha256: of the file, in hex.
    """
    for path in all_suspects():
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


def find_model(key: str, record: ScanRecord) -> Model | None:
    """Loads the model of a scan.

    Returns:
        The model; None where its file is gone or holds another model.

    Raises:
        AegisError: if the file cannot be loaded.
    """
    uploads = server_state().upload_cache.uploads.get(key)
    suspect = uploads.suspect if uploads else None
    path = None if suspect else find_suspect(record.model.sha256)
    if suspect is None and path is None:
        return None
    return _model(record.model.digest, path, suspect, record)


@st.cache_resource(max_entries=2, show_spinner="Loading the suspect")
def _model(digest: str, path: Path | None, _suspect: Suspect | None, _record: ScanRecord) -> Model | None:
    from aegis.core.runtime import choose_runtime

    suspect = _suspect if path is None else load_again(path, _record)
    return None if suspect is None else Model(suspect.classifier.frozen(choose_runtime(workers=1)))
