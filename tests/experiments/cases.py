"""Suspects and scans as they would be kept, without training or scanning anything."""

from aegis.experiments.detection_rates import Case
from aegis.experiments.sweep import Setting, SweepRecord
from aegis.lab.bank.record import BankRecord, BuildInfo
from aegis.models.card import Planted
from aegis.records.record import ClassRecord, DataRecord, ScanRecord

NAMES = tuple("abcde")


def suspect(name="s", lift=None, group="proving", data="mnist", triggers=None, robust=True, **metrics):
    """What is true of a suspect; with a lift it is infected."""
    if lift is not None:
        metrics |= {
            "attack_success_lift": lift,
            "attack_success_other_classes": lift,
            "attack_success_all_images": lift,
        }
        triggers = triggers or (Planted(kind="localised", target=3),)
    return BankRecord(
        name=name, group=group, data=data, architecture="aegis:cnn16", robust=robust, triggers=triggers or (),
        poison=None, recipe={}, metrics={"accuracy": 0.9, "adversarial_precision": 0.8, **metrics}, sha256="0" * 64,
        size=1000, making=BuildInfo(seconds=60.0, resumed=False, device="cpu", precision="fp32", versions={}),
    )  # fmt: skip


def said(verdict, *flagged, clusters=()):
    """A scan, as far as it matters here; ``clusters`` has a count for each class."""
    data = DataRecord.model_construct(class_names=NAMES, shape=(1, 28, 28))
    config = {"gather": {"seed": 0}}
    classes = tuple(ClassRecord.model_construct(label=k, clusters=n, triggers=()) for k, n in enumerate(clusters))
    return ScanRecord.model_construct(
        verdict=verdict,
        flagged_classes=flagged,
        classes=classes,
        data=data,
        config=config,
        versions={"detector": "1"},
    )


def case(known, *scans):
    """One with the other."""
    return Case(known, scans)


def swept(name, shape, settings) -> SweepRecord:
    """A sweep, by parameter, value and the clusters of every class."""
    return SweepRecord(
        suspect=name,
        sha256="0" * 64,
        data="1" * 64,
        shape=shape,
        plan={},
        settings=tuple(Setting(parameter=p, value=v, clusters=c) for p, v, c in settings),
        precision="fp32",
        seconds=1,
        versions={},
    )
