"""The record of several detectors on one suspect, as JSON that other programs read, and the sentence about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from aegis.core.text import class_called
from aegis.core.types import VerdictName
from aegis.records.ranking import best_score
from aegis.records.record import DataRecord, RuntimeRecord, ScanRecord, SourceRecord

AEGIS = "aegis"
# What each detector takes for granted, for the sentence about a verdict unlike that of AEGIS.
ASSUMPTIONS = {
    "nc": "Neural Cleanse flags a mask far smaller than the median: where those of benign classes differ much among "
    "themselves a small one is no outlier, and where they differ little a benign class may be one",
    "nc-pgd": "Neural Cleanse by PGD changes each image by itself, so that its sizes tell how near a class is, and not "
    "whether one trigger leads there",
    "mmbd": "MM-BD looks at no image: it asks how far a logit can rise above the others, which may be farther for a "
    "benign class than for a target",
}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class DetectorRecord(_Frozen):
    """What one detector says.

    Args:
        name: by which it is asked for.
        title: its name for people.
        verdict: about the model.
        flagged_classes: labels, the most suspicious first.
        statistic: what the scores are, in words.
        scores: by label; None for classes that were not tested.
        measure: what the values are.
        values: anomaly index or p-value by label; None where there is none.
        cut: the anomaly index above which, or the p-value up to which, a class is flagged.
        threshold: the same in the unit of the scores; None where there is no such score.
        successes: share of the images that the trigger found leads to the class, by label, in [0, 1]; None where that
            was not measured.
        seconds: time that it took.
        runtime: the machine.
    """

    name: str
    title: str
    verdict: VerdictName
    flagged_classes: tuple[int, ...]
    statistic: str
    scores: tuple[float | None, ...]
    measure: Literal["anomaly index", "p-value"]
    values: tuple[float | None, ...]
    cut: float
    threshold: float | None
    successes: tuple[float | None, ...]
    seconds: float
    runtime: RuntimeRecord

    @property
    def value(self) -> float | None:
        """The value of the most suspicious class; None where there is none."""
        known = [value for value in self.values if value is not None]
        return (max if self.measure == "anomaly index" else min)(known, default=None)


class ComparisonRecord(_Frozen):
    """Several detectors on one suspect.

    Args:
        schema_version: of this format.
        file: name of the checkpoint, without its folder.
        sha256: of the file, in hex.
        data: the images.
        seed: of every random draw.
        detectors: what each says.
        sentence: whether they agree, and if not, why that may be.
        versions: of AEGIS, Python and packages.
        created: time in UTC, in ISO 8601.
        source: the source code.
    """

    schema_version: Literal[1] = 1
    file: str
    sha256: str
    data: DataRecord
    seed: int
    detectors: tuple[DetectorRecord, ...]
    sentence: str
    versions: dict[str, str]
    created: str
    source: SourceRecord

    @property
    def verdict(self) -> VerdictName:
        """The verdict of AEGIS if it took part; else *infected* if any detector says so, and *clean* if all do."""
        said = {one.name: one.verdict for one in self.detectors}
        if AEGIS in said:
            return said[AEGIS]
        for verdict in ("infected", "inconclusive"):
            if verdict in said.values():
                return verdict
        return "clean"

    def to_json(self) -> str:
        """Write the record as JSON.

        Returns:
            The text.
        """
        return self.model_dump_json(indent=2) + "\n"


def aegis_record(scan: ScanRecord) -> DetectorRecord:
    """Say what a scan found in the same terms as other detectors.

    Args:
        scan: the scan.

    Returns:
        Its record as a detector; scores are those of the best candidate trigger of each class.
    """
    by_label = {found.label: found for found in scan.classes}
    classes = [by_label.get(label) for label in range(len(scan.data.class_names))]
    alpha = (scan.config.get("verdict") or {}).get("alpha", 0.0)
    best = [None if one is None else max(one.triggers, key=lambda t: t.score_or_rate, default=None) for one in classes]
    return DetectorRecord(
        name=AEGIS,
        title="AEGIS",
        verdict=scan.verdict,
        flagged_classes=scan.flagged_classes,
        statistic="score of the best candidate trigger",
        scores=tuple(None if one is None else best_score(one) for one in classes),
        measure="p-value",
        values=tuple(None if one is None else one.p_value for one in classes),
        cut=alpha,
        threshold=None,
        successes=tuple(None if one is None else one.flip_rate for one in best),
        seconds=round(scan.seconds.get("assess", 0.0) + scan.seconds.get("classes", 0.0), 2),
        runtime=scan.runtime,
    )


def say_agreement(detectors: Sequence[DetectorRecord], class_names: Sequence[str]) -> str:
    """Say whether detectors agree, and if not, what may be the reason.

    Args:
        detectors: what each says, at least one.
        class_names: in label order.

    Returns:
        One sentence, or two where they disagree.
    """
    first = next((one for one in detectors if one.name == AEGIS), detectors[0])
    others = [one for one in detectors if _said(one) != _said(first)]
    if not others:
        who = first.title if len(detectors) == 1 else f"All {len(detectors)} detectors"
        return f"{who} {_says(first, class_names, len(detectors) > 1)}."
    alike = [one.title for one in detectors if one not in others]
    told = [f"{' and '.join(alike)} {_says(first, class_names, len(alike) > 1)}"]
    told += [f"{one.title} {_says(one, class_names)}" for one in others]
    reasons = [f" {ASSUMPTIONS[one.name]}." for one in others if one.name in ASSUMPTIONS]
    return f"They disagree: {'; '.join(told)}.{''.join(reasons[:1])}"


def _said(one: DetectorRecord) -> tuple[VerdictName, frozenset[int]]:
    return one.verdict, frozenset(one.flagged_classes)


def _says(one: DetectorRecord, class_names: Sequence[str], many: bool = False) -> str:
    flagged = " and ".join(class_called(label, class_names[label]) for label in one.flagged_classes)
    if flagged:
        return f"flag {flagged}" if many else f"flags {flagged}"
    if one.verdict == "inconclusive":
        return "come to no conclusion" if many else "comes to no conclusion"
    return "flag no class" if many else "flags no class"
