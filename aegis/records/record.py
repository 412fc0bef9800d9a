"""A scan as a record: the JSON that other programs read, and that history keeps."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from aegis.core.errors import ConfigError, StoreError
from aegis.core.runtime import Precision, Runtime
from aegis.core.source import STEPS_CODE, UNKNOWN, code_digest, revision
from aegis.core.types import Applicability, Dataset, Family, Finding, Transplant, VerdictName
from aegis.core.version import processor, versions_with
from aegis.records.config import ScanConfig

if TYPE_CHECKING:
    from aegis.models.load import Suspect

PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn", "openTSNE", "umap-learn", "safetensors")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TransplantRecord(_Frozen):
    """A candidate trigger: how large it is, where it lies and what it flips.

    ``flip_rates`` has one rate in [0, 1] per class that it was tried on and null for the others; ``score`` is what
    enough of them reach in every fold, ``source`` the only class it is for, ``destinations`` where one that leads
    every class away from itself leads each. ``pixels``, ``box`` (top, left, bottom, right, in pixels, the last two
    exclusive) and ``l2_norm`` are those of its smallest part that works nearly as well, whose own flip rate is
    ``smallest_rate``, and ``where`` has the places of these pixels, counted row by row, if it is a patch that works.
    """

    family: Family
    start: str
    source: int | None = None
    destinations: tuple[int, ...] | None = None
    pixels: int
    box: tuple[int, int, int, int]
    l2_norm: float
    flip_rate: float
    flip_rates: tuple[float | None, ...]
    images: int
    score: float | None = None
    where: tuple[int, ...] | None = None
    smallest_rate: float | None = None

    @property
    def score_or_rate(self) -> float:
        """The score, or the mean flip rate in records of the first version, which have none."""
        return self.flip_rate if self.score is None else self.score


class ClassRecord(_Frozen):
    """One class; ``clusters`` is the largest count over the budgets, ``chance`` how likely an honest model has a class
    as suspicious as this, and ``strongest`` the position of the transplant that speaks loudest against it."""

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
    chance: float | None = None
    strongest: int | None = None


class ModelRecord(_Frozen):
    """The suspect; ``digest`` tells its weights, architecture and normalisation, ``sha256`` its file's bytes,
    ``spared_radii`` the half radius without attacks that ended in each class, ``universal_radii`` and
    ``universal_areas`` the L2 norm and the share of the pixels at which one perturbation or patch for all makes half of
    the other images each class, ``mean`` and ``std`` its normalisation by channel."""

    sha256: str
    digest: str
    file: str
    architecture: str
    accuracy: float
    epsilons: tuple[float, ...]
    robust_accuracies: tuple[float, ...]
    half_radius: float
    spared_radii: tuple[float, ...] = ()
    universal_radii: tuple[float, ...] = ()
    universal_areas: tuple[float, ...] = ()
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


class DataRecord(_Frozen):
    """The images."""

    name: str
    digest: str
    class_names: tuple[str, ...]
    shape: tuple[int, int, int]
    train: int
    test: int


class RuntimeRecord(_Frozen):
    """What it was computed on; ``hardware`` is the processor's or the GPU's name. How many classes are examined side by
    side, and with how many threads, changes no number."""

    device: str
    precision: Precision
    hardware: str = ""


class SourceRecord(_Frozen):
    """What computed it: ``revision`` is the commit of the source and ``changed`` whether it was edited since, as far as
    that is known, and ``code`` the SHA-256 of the files that the numbers depend on."""

    revision: str = UNKNOWN
    changed: bool | None = None
    code: str = ""


class ControlRecord(_Frozen):
    """A trigger that was planted in a copy of the suspect, and whether the same scan saw it.

    ``trigger`` has its options, ``lift`` how much more often images of other classes are called ``target`` with it,
    ``accuracy`` is the copy's; only where the trigger works, ``planted``, it could have been ``seen``.
    """

    target: int
    trigger: dict[str, Any]
    lift: float
    accuracy: float
    planted: bool
    seen: bool
    score: float | None
    chance: float | None


class ScanRecord(_Frozen):
    """A scan's outcome with all that is needed to repeat it; schema version 1.

    ``labels`` are the classes that were asked for, None for all of them and in records that do not say.

    Raises:
        ValidationError: if a field is of another type, or if fields contradict each other.
    """

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
    control: ControlRecord | None = None
    labels: tuple[int, ...] | None = None
    source: SourceRecord = SourceRecord()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> ScanRecord:
        for contradiction in _contradictions(self):
            raise ValueError(contradiction)
        return self

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
        got, advice = str(error.strerror) if isinstance(error, OSError) else "other content", "Check the path."
        # Of content, only what fields say together has words that are worth more than these.
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        if first is not None and first["type"] == "value_error":
            got, advice = f"one that contradicts itself: {first['ctx']['error']}", "Take the file as it was written."
        raise StoreError(f"a scan result written by aegis scan --json at {path}", got, advice) from error


def _contradictions(record: ScanRecord) -> Iterator[str]:
    """What one part of a record says that others rule out, in words: readers look things up by these numbers."""
    classes, model, control = len(record.data.class_names), record.model, record.control
    if len(model.epsilons) != len(model.robust_accuracies):
        yield f"model has {len(model.epsilons)} epsilons, but {len(model.robust_accuracies)} robust_accuracies"
    if control is not None:
        yield from _beyond("control: target", [control.target], classes)
    yield from _beyond("labels", record.labels or (), classes)
    yield from _beyond("classes: label", [found.label for found in record.classes], classes)
    accused = {found.label for found in record.classes if found.suspicious}
    if accused != set(record.suspected_classes):
        yield f"suspected_classes are {sorted(record.suspected_classes)}, but the suspicious ones {sorted(accused)}"
    for found in record.classes:
        for said in _class_contradictions(found, classes):
            yield f"class {found.label}: {said}"


def _class_contradictions(found: ClassRecord, classes: int) -> Iterator[str]:
    for name in ("clusters_by_budget", "translated_clusters_by_budget", "bandwidths", "translation_success"):
        if (given := len(getattr(found, name))) != len(found.budgets):
            yield f"{len(found.budgets)} budgets, but {given} {name}"
    if found.strongest is not None and not 0 <= found.strongest < len(found.transplants):
        yield f"strongest is {found.strongest}, but there are {len(found.transplants)} transplants, counted from 0"
    for i, one in enumerate(found.transplants):
        where = f"transplant {i}"
        yield from _beyond(f"{where}: source", [] if one.source is None else [one.source], classes)
        if len(one.flip_rates) > classes:
            yield f"{where}: {len(one.flip_rates)} flip_rates, but {classes} class_names"
        if one.destinations is not None:
            yield from _beyond(f"{where}: destinations", one.destinations, classes)
            if len(one.destinations) != len(one.flip_rates):
                yield f"{where}: {len(one.destinations)} destinations, but {len(one.flip_rates)} flip_rates"


def _beyond(name: str, labels: Iterable[int], classes: int) -> Iterator[str]:
    yield from (
        f"{name} is {label}, but there are {classes} classes, counted from 0"
        for label in labels
        if not 0 <= label < classes
    )


def class_record(finding: Finding, name: str, share: float) -> ClassRecord:
    """What was found in a class, not judged yet.

    Args:
        finding: of the class.
        name: of the class.
        share: of the classes that a trigger is for, so many must reach its score.
    """
    counts = tuple(clusters.count for clusters in finding.clusters)
    return ClassRecord(
        label=finding.label,
        name=name,
        suspicious=False,
        reason="",
        clusters=max(counts),
        budgets=finding.evidence.budgets,
        clusters_by_budget=counts,
        translated_clusters_by_budget=tuple(clusters.count for clusters in finding.translated_clusters),
        bandwidths=tuple(_short(clusters.bandwidth) for clusters in finding.clusters),
        translation_success=tuple(_short(float(s)) for s in finding.evidence.success),
        transplants=tuple(transplant_record(t, t.score(share)) for t in finding.evidence.transplants),
    )


def transplant_record(transplant: Transplant, score: float | None = None) -> TransplantRecord:
    """A candidate trigger as a record, with its score if the rule gave it one."""
    touched, replaces = transplant.shown.touched, transplant.family != "perturbation"
    rows, columns = np.flatnonzero(touched.any(axis=1)), np.flatnonzero(touched.any(axis=0))
    box = (0, 0, 0, 0)
    if len(rows):
        box = (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    return TransplantRecord(
        family=transplant.family,
        start=transplant.start,
        source=transplant.source,
        destinations=tuple(transplant.destinations.tolist()) if transplant.family == "all to all" else None,
        pixels=int(touched.sum()),
        box=box,
        l2_norm=_short(float(np.linalg.norm(transplant.shown.add))),
        flip_rate=_short(transplant.flip_rate),
        flip_rates=tuple(None if math.isnan(rate) else _short(float(rate)) for rate in transplant.flip_rates),
        images=int(transplant.counts.sum()),
        score=None if score is None else _short(score),
        smallest_rate=None if transplant.smallest_rate is None else _short(transplant.smallest_rate),
        where=tuple(np.flatnonzero(touched).tolist()) if replaces and transplant.smallest is not None else None,
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
        spared_radii=tuple(map(_short, measured.spared_radii)),
        universal_radii=tuple(map(_short, measured.universal_radii)),
        universal_areas=tuple(map(_short, measured.universal_areas)),
        mean=suspect.identity.mean,
        std=suspect.identity.std,
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


def runtime_record(runtime: Runtime) -> RuntimeRecord:
    """Device, precision and processor as a record."""
    import torch

    name = torch.cuda.get_device_name() if runtime.device == "cuda" else processor()
    return RuntimeRecord(device=runtime.device, precision=runtime.precision, hardware=name)


def source_record() -> SourceRecord:
    """The source that runs as a record."""
    now = revision()
    return SourceRecord(revision=now.commit, changed=now.changed, code=code_digest(STEPS_CODE))


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


def settings(record: ScanRecord) -> ScanConfig | None:
    """The settings of a scan; None if they are of another version."""
    try:
        return config_of(record)
    except StoreError:
        return None


def versions() -> dict[str, str]:
    """Versions of AEGIS, Python and the packages that numbers depend on."""
    return versions_with(PACKAGES)


def now() -> str:
    """The time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _short(value: float) -> float:
    """Four decimals: more would be noise in a file that people read."""
    return round(value, 4)
