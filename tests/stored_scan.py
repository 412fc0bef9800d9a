"""A finished scan in a store, made without a model: its classes come from the store as any other scan's."""

from aegis.core.types import Applicability, Dataset
from aegis.detect.cluster import judge
from aegis.detect.verdict import conclude
from aegis.records.builders import data_record
from aegis.records.config import ScanConfig, VerdictConfig
from aegis.records.record import ClassRecord, ScanRecord, config_record
from aegis.store.store import Store
from tests.candidates import NULLS
from tests.stored import GATHER, Counted, dataset, record

KEY = "a" * 64


def keep_finished(
    store: Store, key: str = KEY, name: str = "upload: toy.npz", **changes: object
) -> tuple[ScanRecord, Dataset]:
    """A scan of four classes of which two are flagged, all its evidence kept; changes are fields of its record."""
    data, config = dataset(name=name), ScanConfig(gather=GATHER, verdict=VerdictConfig(nulls=NULLS))
    plain = record()
    steps = Counted().kept(store, plain.model.digest, data)
    findings = []
    for label in range(4):
        evidence = steps.gather(None, data, label, config.gather)
        findings.append(judge(evidence, steps.embed(evidence, config.embed), config.judge))
    end = conclude(Applicability(0.9, (0.5, 1.0), (0.7, 0.6)), findings, data.class_names, config.verdict)
    fields = {
        "verdict": end.verdict,
        "sentence": end.sentence,
        "flagged_classes": tuple(one.record.label for one in end.classes if one.record.flagged),
        "classes": tuple(one.record for one in end.classes),
        "data": data_record(data),
        "config": config_record(config),
        **changes,
    }
    kept = plain.model_copy(update=fields)
    store.keep_scan(key, kept)
    return kept, data


def keep_version(
    store: Store, key: str, file: str, name: str = "samples:made", **changes: object
) -> tuple[ScanRecord, Dataset]:
    """The same for a model of a file name, by default over images that nobody uploaded; clean if so it is to be."""
    record, data = keep_finished(store, key, name)
    fields = {"model": record.model.model_copy(update={"file": file, "sha256": key}), **changes}
    if changes.get("verdict") == "clean":
        fields |= as_clean(record)
    kept = record.model_copy(update=fields)
    store.keep_scan(key, kept)
    return kept, data


def as_clean(kept: ScanRecord) -> dict[str, object]:
    """Fields of a record that flags nobody."""
    classes: tuple[ClassRecord, ...] = tuple(
        one.model_copy(update={"flagged": False, "reason": "its strongest candidate is weak"}) for one in kept.classes
    )
    return {"verdict": "clean", "sentence": "Clean: nothing.", "flagged_classes": (), "classes": classes}
