"""A scan as a record: the JSON that other programs read, and that history keeps."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from aegis.detect.config import ScanConfig
from aegis.errors import ConfigError, StoreError
from aegis.runtime import Precision
from aegis.types import Applicability, ClassResult, Dataset, Finding, Transplant, VerdictName
from aegis.version import versions_with

if TYPE_CHECKING:
    from aegis.models.load import Suspect

PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn", "openTSNE", "umap-learn", "safetensors")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TransplantRecord(_Frozen):
    """A candidate trigger: how large it is, where it lies and what it flips.

    ``flip_rates`` has one rate in [0, 1] per source class and null for the class under test;
    ``box`` is top, left, bottom, right, in pixels, the last two exclusive.
    """

    family: Literal["patch", "perturbation"]
    start: str
    pixels: int
    box: tuple[int, int, int, int]
    l2_norm: float
    flip_rate: float
    flip_rates: tuple[float | None, ...]
    images: int


class ClassRecord(_Frozen):
    """One class; ``clusters`` is the largest count over the budgets."""

    label: int
    name: str
    suspicious: bool
    reason: str
    clusters: int
    budgets: tuple[float, ...]
    clusters_by_budget: tuple[int, ...]
    translated_clusters_by_budget: tuple[int, ...]
    bandwidths: tuple[float, ...]
    translation_success: tuple[float, ...]
    transplants: tuple[TransplantRecord, ...]


class ModelRecord(_Frozen):
    """The suspect; ``digest`` tells its weights, architecture and normalisation, ``sha256`` its file's bytes."""

    sha256: str
    digest: str
    file: str
    architecture: str
    accuracy: float
    epsilons: tuple[float, ...]
    robust_accuracies: tuple[float, ...]
    half_radius: float


class DataRecord(_Frozen):
    """The images."""

    name: str
    digest: str
    class_names: tuple[str, ...]
    shape: tuple[int, int, int]
    train: int
    test: int


class RuntimeRecord(_Frozen):
    """What it was computed on."""

    device: str
    precision: Precision


class ScanRecord(_Frozen):
    """A scan's outcome with all that is needed to repeat it; schema version 1."""

    schema_version: Literal[1] = 1
    verdict: VerdictName
    sentence: str
    suspected_classes: tuple[int, ...]
    classes: tuple[ClassRecord, ...]
    model: ModelRecord
    data: DataRecord
    config: dict[str, Any]
    versions: dict[str, str]
    runtime: RuntimeRecord
    seconds: dict[str, float]
    created: str

    def to_json(self) -> str:
        """The record as JSON text."""
        return self.model_dump_json(indent=2) + "\n"


def read_record(path: Path) -> ScanRecord:
    """A record from a file that ``aegis scan --json`` wrote.

    Raises:
        StoreError: if the file is missing or is no such record.
    """
    try:
        return ScanRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        got = error.strerror if isinstance(error, OSError) else "other content"
        raise StoreError(
            f"a scan result written by aegis scan --json at {path}", str(got), "Check the path."
        ) from error


def class_record(result: ClassResult) -> ClassRecord:
    """One class of a scan as a record."""
    finding: Finding = result.finding
    counts = tuple(clusters.count for clusters in finding.clusters)
    return ClassRecord(
        label=finding.label,
        name=result.name,
        suspicious=result.suspicious,
        reason=result.reason,
        clusters=max(counts),
        budgets=finding.evidence.budgets,
        clusters_by_budget=counts,
        translated_clusters_by_budget=tuple(clusters.count for clusters in finding.translated_clusters),
        bandwidths=tuple(_short(clusters.bandwidth) for clusters in finding.clusters),
        translation_success=tuple(_short(float(s)) for s in finding.evidence.success),
        transplants=tuple(transplant_record(t) for t in finding.evidence.transplants),
    )


def transplant_record(transplant: Transplant) -> TransplantRecord:
    """A candidate trigger as a record."""
    touched = transplant.stamp.touched
    rows, columns = np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))
    box = (0, 0, 0, 0)
    if len(rows):
        box = (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    return TransplantRecord(
        family=transplant.family,
        start=transplant.start,
        pixels=int(touched.sum()),
        box=box,
        l2_norm=_short(float(np.linalg.norm(transplant.stamp.add))),
        flip_rate=_short(transplant.flip_rate),
        flip_rates=tuple(None if math.isnan(rate) else _short(float(rate)) for rate in transplant.flip_rates),
        images=int(transplant.counts.sum()),
    )


def model_record(file: str, suspect: Suspect, measured: Applicability) -> ModelRecord:
    """The suspect as a record; ``file`` is its name without the folder."""
    return ModelRecord(
        sha256=suspect.sha256,
        digest=suspect.digest,
        file=file,
        architecture=suspect.identity.architecture,
        accuracy=_short(measured.accuracy),
        epsilons=measured.epsilons,
        robust_accuracies=tuple(_short(a) for a in measured.robust_accuracies),
        half_radius=_short(measured.half_radius),
    )


def data_record(data: Dataset) -> DataRecord:
    """The images as a record."""
    return DataRecord(
        name=data.name,
        digest=data.digest,
        class_names=data.class_names,
        shape=data.shape,
        train=len(data.train),
        test=len(data.test),
    )


def config_record(config: ScanConfig) -> dict[str, Any]:
    """The settings as plain values, as JSON would give them back."""
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return plain


def config_of(record: ScanRecord) -> ScanConfig:
    """The settings of a recorded scan.

    Raises:
        StoreError: if they are not those of this version.
    """
    try:
        config = TypeAdapter(ScanConfig).validate_python(record.config)
    except (ValidationError, ConfigError):
        config = None
    # Names that this version does not know would have been ignored in silence.
    if config is None or config_record(config) != record.config:
        raise StoreError("the settings of a scan of this version", "others", "Scan again.")
    return config


def versions() -> dict[str, str]:
    """Versions of AEGIS, Python and the packages that numbers depend on."""
    return versions_with(PACKAGES)


def now() -> str:
    """The time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _short(value: float) -> float:
    """Four decimals: more would be noise in a file that people read."""
    return round(value, 4)
