"""Scans made up for reports: every number is chosen, nothing is computed by a model."""

from dataclasses import dataclass, replace

import numpy as np

from aegis.core.types import (
    FAMILIES,
    Applicability,
    Clusters,
    Dataset,
    Embedding,
    Evidence,
    Finding,
    LabelledImages,
    Stamp,
)
from aegis.detect.verdict import conclude
from aegis.records.builders import data_record
from aegis.records.presets import preset
from aegis.records.record import ScanRecord, config_record
from tests import candidates, stored
from tests.candidates import NULLS

SIDE = 8
MEASURED = Applicability(0.8, (0.5, 1.0), (0.6, 0.3))
SHA256 = "0123456789abcdef" * 4


@dataclass(frozen=True)
class Made:
    """A scan with all that a report is made of."""

    record: ScanRecord
    findings: dict[int, Finding]
    data: Dataset


def images(names, per_class, seed):
    labels = np.arange(len(names) * per_class, dtype=np.int64) % len(names)
    pixels = np.random.default_rng(seed).random((len(labels), 1, SIDE, SIDE), np.float32)
    return LabelledImages(pixels, labels, tuple(names))


def candidate(family, label, rates, **about):
    """A patch of four white pixels in a corner, or a faint slope."""
    keep, add = np.ones((1, SIDE, SIDE), np.float32), np.zeros((1, SIDE, SIDE), np.float32)
    if family == "perturbation":
        add[0] = np.linspace(-0.1, 0.1, SIDE, dtype=np.float32)
    else:
        keep[0, :2, :2], add[0, :2, :2] = 0, 1
    return candidates.candidate(family, label, rates, Stamp(keep, add), **about)


def finding(label, data, rate, clusters=3, triggers=True, works="patch"):
    """One class with a candidate of every family; that which works flips this share, and the others part of it."""
    classes, parts = len(data.class_names), {"patch": 2, "perturbation": 4, "source-specific": 3, "all-to-all": 5}
    generator = np.random.default_rng(label)
    own = np.flatnonzero(data.train.labels == label)
    seeds = np.flatnonzero(data.train.labels != label)[:12]
    points = len(own) + len(seeds)
    tried = [
        candidate(
            family,
            label,
            np.full(classes, rate / (1 if family == works else parts[family])),
            source=(label + 1) % classes if family == "source-specific" else None,
        )
        for family in FAMILIES
        if triggers
    ]
    evidence = Evidence(
        label=label,
        budgets=(3.0, 100.0),
        seed_index=seeds,
        train_index=own,
        translated=generator.integers(0, 256, (2, len(seeds), 1, SIDE, SIDE), dtype=np.uint8),
        features=generator.normal(size=(2, points, 4)).astype(np.float32),
        success=np.array([0.5, 1.0], np.float32),
        triggers=tuple(tried),
    )
    assignment = np.sort(np.arange(points) % clusters)
    planes = [generator.normal(size=(points, 2)).astype(np.float32) for _ in evidence.budgets]
    embeddings = tuple(Embedding(plane, evidence.is_translated, b) for plane, b in zip(planes, evidence.budgets))
    together = (Clusters(assignment, 2.0),) * 2
    alone = (Clusters(np.where(evidence.is_translated, assignment * 0, -1), 2.0),) * 2
    return Finding(evidence, embeddings, together, alone)


def made(
    names=("shirt", "shoe", "bag", "coat"),
    rates=(0.1, 0.2, 0.9, 0.3),
    kind="default",
    measured=MEASURED,
    nulls=NULLS,
    works="patch",
):
    """A scan of classes whose candidates of one family flip these shares; from a half on they are flagged."""
    data = Dataset("samples:made", images(names, 6, 0), images(names, 2, 1))
    config = preset(kind, None, data.shape)
    config = replace(config, verdict=replace(config.verdict, nulls=nulls))
    tried = config.gather.trigger_search is not None
    findings = [finding(k, data, rate, 3 if rate >= 0.5 else 2, tried, works) for k, rate in enumerate(rates)]
    end = conclude(measured, findings, data.class_names, config.verdict)
    model = stored.record().model.model_copy(update={"sha256": SHA256, "file": "suspect.pt", "accuracy": 0.8})
    record = stored.record("2024-01-02T03:04:05+00:00", end.sentence).model_copy(
        update={
            "verdict": end.verdict,
            "flagged_classes": tuple(c.record.label for c in end.classes if c.record.flagged),
            "classes": tuple(c.record for c in end.classes),
            "model": model,
            "data": data_record(data),
            "config": config_record(config),
            "versions": {"aegis": "9.8.7", "torch": "2.99"},
            "seconds": {"gather": 12.5},
        }
    )
    return Made(record, {found.label: found for found in findings}, data)


def with_record(scan, **changes):
    """The same with a changed record."""
    return replace(scan, record=scan.record.model_copy(update=changes))
