"""A scan as a record: the JSON that other programs read, and that history keeps."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from aegis.core.errors import ConfigError, StoreError
from aegis.core.runtime import Precision
from aegis.core.source import UNKNOWN
from aegis.core.types import Family, VerdictName
from aegis.records.config import ScanConfig
from aegis.records.consistency import contradictions
from aegis.records.schema1 import from_schema1


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TriggerRecord(_Frozen):
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
    """One class; ``clusters`` is the largest count over the budgets, ``p_value`` how likely a benign model has a class
    whose score is as high, and ``strongest`` the position of the candidate that speaks loudest against it."""

    label: int
    name: str
    flagged: bool
    reason: str
    clusters: int
    budgets: tuple[float, ...]
    clusters_by_budget: tuple[int, ...]
    translated_clusters_by_budget: tuple[int, ...]
    bandwidths: tuple[float, ...]
    translation_success: tuple[float, ...]
    triggers: tuple[TriggerRecord, ...]
    p_value: float | None = None
    strongest: int | None = None


class ModelRecord(_Frozen):
    """The suspect; ``digest`` tells its weights, architecture and normalisation, ``sha256`` its file's bytes,
    ``half_radii_excluding_target`` the half radius without attacks that ended in each class, ``universal_radii`` and
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
    half_radii_excluding_target: tuple[float, ...] = ()
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
    p_value: float | None


class ScanRecord(_Frozen):
    """A scan's outcome with all that is needed to repeat it; schema version 2. One of version 1 is read as well.

    ``labels`` are the classes that were asked for, None for all of them and in records that do not say.

    Raises:
        ValidationError: if a field is of another type, or if fields contradict each other.
    """

    schema_version: Literal[2] = 2
    verdict: VerdictName
    sentence: str
    flagged_classes: tuple[int, ...]
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

    @model_validator(mode="before")
    @classmethod
    def _of_today(cls, plain: object) -> object:
        if not (isinstance(plain, dict) and plain.get("schema_version") == 1):
            return plain
        today = from_schema1(plain)
        assert isinstance(today, dict)
        return today | {"schema_version": 2}

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> ScanRecord:
        for contradiction in contradictions(self):
            raise ValueError(contradiction)
        return self

    def to_json(self) -> str:
        """Write the record as JSON.

        Returns:
            The text.
        """
        return self.model_dump_json(indent=2) + "\n"


def read_record(path: Path) -> ScanRecord:
    """Read a file that ``aegis scan --json`` wrote.

    Args:
        path: of the file.

    Returns:
        The record.

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


def config_record(config: ScanConfig) -> dict[str, Any]:
    """Convert settings to plain values, as they come back from JSON.

    Args:
        config: the settings.

    Returns:
        Values by name.
    """
    plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(config)))
    return plain


def config_of(record: ScanRecord) -> ScanConfig:
    """Read the settings of a recorded scan.

    Args:
        record: the scan.

    Returns:
        The settings.

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
    """Read the settings of a recorded scan, if this version understands them.

    Args:
        record: the scan.

    Returns:
        The settings; None if another version of AEGIS wrote them.
    """
    try:
        return config_of(record)
    except StoreError:
        return None
