"""The record of a scan: JSON that other programs read and that the store keeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    TypeAdapter,
    ValidationError,
    model_serializer,
    model_validator,
)

from aegis.core.errors import ConfigError, StoreError
from aegis.core.files import read_text_bytes
from aegis.core.runtime import Precision
from aegis.core.source import UNKNOWN
from aegis.core.types import Family, VerdictName
from aegis.records.config import ScanConfig, plain_settings
from aegis.records.consistency import contradictions
from aegis.records.null_distribution import UNBOUNDED, of_scores
from aegis.records.schema1 import from_schema1


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TriggerRecord(_Frozen):
    """A candidate trigger; size and place are those of its smallest part that works nearly as well.

    Args:
        family: of the candidate.
        start: where the search began, in words.
        source: the only class that it works on, of source-specific ones.
        destinations: of all-to-all ones, the class that each class is led to, by label.
        pixels: number of pixels that it changes.
        box: top, left, bottom and right in pixels, the last two exclusive.
        l2_norm: of the change, for pixels in [0, 1].
        flip_rate: attack success rate of the whole candidate, mean over source classes, in [0, 1].
        flip_rates: the same by label; None for classes that it was not tried on.
        images: number of held-out images that it was tried on.
        score: what enough source classes reach in every fold, in [0, 1]; None if no rule gave one.
        where: positions of the pixels of a minimised patch, counted row by row; None where it was not minimised.
        smallest_rate: attack success rate of the smallest part, in [0, 1]; None where there is none.
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
        """The score; the mean attack success rate in records of the first version, which have no score."""
        return self.flip_rate if self.score is None else self.score


class ClassRecord(_Frozen):
    """One class and the verdict about it.

    Args:
        label, name: of the class.
        flagged: whether the class is.
        reason: why, or why not, in words.
        clusters: of training and translated images, the largest number over the budgets.
        budgets: L2 radii of translation.
        clusters_by_budget: the same number at each budget.
        translated_clusters_by_budget: clusters of the translated images alone.
        bandwidths: of mean shift at each budget.
        translation_success: share of seeds that were translated into the class, in [0, 1], at each budget.
        triggers: candidates that were tried on held-out images.
        p_value: how likely a benign model has a class with such a score; None where no trigger was tried.
        strongest: position of the candidate that the verdict rests on.
    """

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
    """The suspect, with its accuracy and robustness.

    Args:
        sha256: of the file, in hex.
        digest: of weights, architecture and normalisation, in hex.
        file: name of the checkpoint, without its folder.
        architecture: its name.
        accuracy: on test images, in [0, 1].
        epsilons: L2 radii of the attacks, growing.
        robust_accuracies: accuracy under each of them, in [0, 1].
        half_radius: L2 radius at which half the accuracy is left.
        half_radii_excluding_target: the same by label, without attacks that ended in that class.
        universal_radii: by label, L2 norm of one perturbation that turns half of the other images into that class;
            of some classes at even distances where there are more than ``bounds.MANY_CLASSES``.
        universal_areas: by label, share of the pixels of one patch that does the same.
        mean, std: normalisation by channel; None without one.
        entry: name of the model in a file with others that differ from it; None for the only one.
        others: names of these others.
        left_out: names of small tensors of the file outside the model.
        code: names of code in the file, of which nothing was run.
        reading: what is unusual about the network and how it was read, a part of a sentence each.
    """

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
    entry: str | None = None
    others: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    reading: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        """The file, and which of its networks was scanned if there are several."""
        return self.file if self.entry is None else f"{self.file}, entry {self.entry}"


class DataRecord(_Frozen):
    """The images.

    Args:
        name: of the data set.
        digest: of the images and labels, in hex.
        class_names: in label order.
        shape: channels, height and width.
        train, test: number of images.
    """

    name: str
    digest: str
    class_names: tuple[str, ...]
    shape: tuple[int, int, int]
    train: int
    test: int


class RuntimeRecord(_Frozen):
    """The machine. Numbers do not depend on how many threads ran or how many classes were examined side by side.

    Args:
        device: name of the torch device.
        precision: of the model's numbers.
        hardware: name of the processor or GPU.
        instead_of: device and precision that were chosen first, where the network does not run; empty otherwise.
    """

    device: str
    precision: Precision
    hardware: str = ""
    instead_of: str = ""


class SourceRecord(_Frozen):
    """The source code that computed the scan.

    Args:
        revision: the commit, or *unknown*.
        changed: whether the source differed from the commit; None where that is unknown.
        code: digest of the source that the numbers depend on, in hex.
    """

    revision: str = UNKNOWN
    changed: bool | None = None
    code: str = ""


class ControlRecord(_Frozen):
    """The outcome of a positive control: a trigger planted in a copy of the suspect, which the same scan should find.

    Args:
        target: class that the trigger leads to.
        trigger: its settings by name.
        lift: how much more often other images are classified as the target with the trigger than without, in [0, 1].
        accuracy: of the copy, in [0, 1].
        planted: whether the trigger works, without which it could not be found.
        seen: whether the scan flagged the target.
        score: of the target, in [0, 1].
        p_value: of the target.
    """

    target: int
    trigger: dict[str, Any]
    lift: float
    accuracy: float
    planted: bool
    seen: bool
    score: float | None
    p_value: float | None


class TriageRecord(_Frozen):
    """How the classes of a model were ranked, to examine the likeliest first.

    Args:
        sizes: for each class, the size of the smallest universal perturbation or patch that leads half of the images
            there, as a share of what the median class needs; by label.
        budget: seconds that examining might take; None for no limit.
    """

    sizes: tuple[float, ...]
    budget: float | None = None

    @property
    def order(self) -> tuple[int, ...]:
        """All labels, the likeliest target of a backdoor first."""
        return tuple(sorted(range(len(self.sizes)), key=lambda label: self.sizes[label]))

    def rank(self, label: int) -> int:
        """Gives the place of a class in the order, from 1."""
        return self.order.index(label) + 1


class ScanRecord(_Frozen):
    """The outcome of a scan with all that is needed to repeat it; schema version 2, and version 1 is read as well.

    Args:
        schema_version: of this format.
        verdict: about the model.
        sentence: the verdict with its reason.
        flagged_classes: labels.
        classes: every class tested.
        model: the suspect.
        data: the images.
        config: all settings, by step.
        versions: of AEGIS, Python and packages.
        runtime: the machine.
        seconds: by step.
        created: time in UTC, in ISO 8601.
        control: the positive control; None without one.
        labels: classes that were asked for; None for all, and in records that do not say.
        source: the source code.
        triage: how classes were ranked; None in a scan that examined all that were asked for, and then not written.

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
    triage: TriageRecord | None = None

    @model_serializer(mode="wrap")
    def _without_triage(self, plain: Callable[[ScanRecord], dict[str, Any]]) -> dict[str, Any]:
        written = plain(self)
        if self.triage is None:
            # Records stay as they were before there was any.
            written.pop("triage", None)
        return written

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
        return ScanRecord.model_validate_json(read_text_bytes(path))
    except (OSError, ValidationError) as error:
        got, advice = str(error.strerror) if isinstance(error, OSError) else "other content", "Check the path."
        # Only contradictions between fields have a message of their own that helps the user.
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
    plain: dict[str, Any] = json.loads(json.dumps(plain_settings(config)))
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
    return _read_config(json.dumps(record.config))


@lru_cache(maxsize=64)
def _read_config(text: str) -> ScanConfig:
    """Reads settings from JSON, once: pages ask for those of one scan many times, and building them takes a while."""
    plain = _with_excesses(json.loads(text))
    try:
        config = TypeAdapter(ScanConfig).validate_python(plain)
    except (ValidationError, ConfigError):
        config = None
    # Validation ignores names that this version does not know; comparing finds them.
    if config is None or config_record(config) != plain:
        raise StoreError("the settings of a scan of this version", "others", "Scan again.")
    return config


def _with_excesses(config: dict[str, Any]) -> dict[str, Any]:
    """Settings whose null distributions hold excesses; in earlier versions they held scores, or bounded no level."""
    verdict: dict[str, Any] = config.get("verdict") or {}
    changed: dict[str, Any] = {"nulls": [_with_excess(one) for one in verdict.get("nulls") or ()]}
    if references := verdict.get("references"):
        changed["references"] = references | {"nulls": [_with_excess(one) for one in references["nulls"]]}
    plain: dict[str, Any] = json.loads(json.dumps(config | {"verdict": verdict | changed}))
    return plain


def _with_excess(null: dict[str, Any]) -> dict[str, Any]:
    if "tests" not in null:
        return asdict(of_scores(null["family"], null["maxima"]))
    return {"most": UNBOUNDED, "unlike": UNBOUNDED} | null


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
