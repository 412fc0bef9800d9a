"""Findings about detection: how often backdoors are found, by which settings, and in which time (RQ2 to RQ4, RQ6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from statistics import median

from aegis.experiments.detection_rates import Rate
from aegis.experiments.paper.finding import Claim, Finding
from aegis.experiments.paper.models import BACKDOORS, CLASSES, DATA, INVISIBLE, TARGET, VISIBLE, Key, name_of
from aegis.experiments.paper.table6 import Detection, detection
from aegis.experiments.paper.table7 import PUBLISHED, Sensitivity
from aegis.records.detectors import DetectorRecord
from aegis.records.record import ScanRecord
from aegis.records.settings import spent

Scans = Mapping[Key, Sequence[ScanRecord]]
COUNT = (
    "the count of clusters does not tell the target on these small networks, whatever the settings (Table 7); full "
    "width alone does not change that (docs/gpu.md)"
)
LARGE = "the bank that thresholds come from has no clean model of this size (docs/gpu.md)"
VARIANT = (
    "this is Neural Cleanse as its authors describe it; the paper's variant leads each image by PGD by itself, and is "
    "recorded on MNIST alone"
)
WIDE = (
    "on MNIST the target's mask is the smallest, but masks of benign digits differ so much that none is an outlier "
    "(docs/results.md)"
)
TITLES = {"nc": "Neural Cleanse", "nc-pgd": "Neural Cleanse by PGD"}
FINDS = "Neural Cleanse finds the target of a standard model"
MISSES = "Neural Cleanse misses the target of a robust model"
UNFLAGGED = Claim(question="RQ2", claim="benign classes are not flagged (invisible triggers)", hits=48, number=54)


def _clear(one: Detection) -> int:
    return one.scans - one.infected


def _unflagged(one: Detection) -> int:
    return CLASSES - 1 - one.flagged


# Claims of RQ2 with the kinds of triggers that they are about and what is counted.
RATES: tuple[tuple[Claim, tuple[str, ...], Callable[[Detection], int]], ...] = (
    (
        Claim(question="RQ2", claim="models with visible triggers are detected", hits=6, number=6),
        VISIBLE,
        attrgetter("infected"),
    ),
    (
        Claim(question="RQ2", claim="targets of visible triggers are named", hits=6, number=6),
        VISIBLE,
        attrgetter("named"),
    ),
    (
        Claim(question="RQ2", claim="models with invisible triggers are detected", hits=5, number=6),
        INVISIBLE,
        attrgetter("infected"),
    ),
    (
        Claim(question="RQ2", claim="targets of invisible triggers are named", hits=4, number=6),
        INVISIBLE,
        attrgetter("named"),
    ),
    (UNFLAGGED, INVISIBLE, _unflagged),
    (
        Claim(question="RQ2", claim="clean models are not called infected", hits=3, number=3),
        ("clean",),
        _clear,
    ),
    (
        Claim(question="RQ2, RQ5", claim="infected models are detected", hits=11, number=12),
        BACKDOORS,
        attrgetter("infected"),
    ),
)


def effectiveness(scans: Scans, by: str, reason: str) -> list[Finding]:
    """Puts the findings of RQ2 beside ours; of several seeds of a model the first counts, since seeds are no models.

    Args:
        scans: scans of robust models by one preset.
        by: the preset, in words.
        reason: why ours differ, where they do.

    Returns:
        The findings about the kinds of triggers that are scanned; of all where nothing is.
    """
    found = {key: detection(kept[:1], key[1]) for key, kept in scans.items()}
    kinds = {trigger for _, trigger in found} or {*BACKDOORS, "clean"}
    findings = []
    for claim, triggers, count in RATES:
        if kinds & {*triggers}:
            ours = [one for (_, trigger), one in found.items() if trigger in triggers]
            each = CLASSES - 1 if claim is UNFLAGGED else 1
            findings.append(claim.beside(by, Rate(sum(map(count, ours)), each * len(ours)), reason))
    return findings


def comparison(outcomes: Mapping[str, Mapping[str, DetectorRecord]]) -> list[Finding]:
    """Puts the findings of RQ3 beside ours.

    Args:
        outcomes: what each detector says about models with localised triggers and their standard twins, by detector
            and name of the model.

    Returns:
        The findings, each by every detector.
    """
    findings = []
    for claim, robust, missed, reason in (
        (Claim(question="RQ3", claim=FINDS, hits=1, number=1), False, False, WIDE),
        (Claim(question="RQ3", claim=MISSES, hits=1, number=1), True, True, VARIANT),
    ):
        names = [name_of(robust, data, "localised") for data in DATA]
        for detector, said in outcomes.items():
            known = [said[name] for name in names if name in said]
            rate = Rate(sum((TARGET in one.flagged_classes) != missed for one in known), len(known))
            findings.append(claim.beside(TITLES[detector], rate, reason if detector == "nc" else ""))
    return findings


def sensitivity(varied: Mapping[str, Sensitivity], default: Sensitivity | None) -> list[Finding]:
    """Puts the findings of RQ4 beside ours.

    Args:
        varied: the paper's rule, by the parameter that varies.
        default: repeats with the default preset; None where none are recorded.

    Returns:
        The findings.
    """
    claims = {
        "epsilon": "for all values of epsilon the target is found",
        "bandwidth": "for all tested bandwidths the target is found",
        "seeds": "for varying numbers of seed images the target is found",
        "repeats": "in repeated runs the target is found",
    }
    findings = []
    for parameter, text in claims.items():
        published, ours = PUBLISHED[parameter], varied.get(parameter)
        claim = Claim(question="RQ4", claim=text, hits=published.detected, number=published.configs)
        findings.append(claim.beside("preset paper", _rate(ours), COUNT))
        if parameter == "repeats":
            findings.append(claim.beside("preset default", _rate(default)))
    return findings


def efficiency(scans: Scans) -> Finding:
    """Puts the finding of RQ6 beside ours.

    Args:
        scans: scans with the paper's preset.

    Returns:
        The finding.
    """
    times = [median(spent(scan) for scan in kept) / 60 for (_, trigger), kept in scans.items() if trigger in BACKDOORS]
    known = Finding(question="RQ6", claim="a scan takes minutes", paper="5 to 9 minutes", by="preset paper")
    if not times:
        return known
    ours = f"{min(times):.1f} to {max(times):.1f} minutes ({len(times)} models, other machine and networks)"
    return replace(known, ours=ours, same=max(times) < 10)


def _rate(found: Sensitivity | None) -> Rate | None:
    return Rate(found.detected, found.configs) if found else None
