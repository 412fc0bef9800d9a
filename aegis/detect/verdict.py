"""From what was recorded of the classes to a verdict, with its sentence. Why was it flagged? The answer is here.

Judging needs neither model nor images nor pictures: a scan that was kept is judged again by other thresholds at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from aegis.detect.config import VerdictConfig
from aegis.detect.null import chance
from aegis.detect.record import ClassRecord, ScanRecord, TransplantRecord, class_record
from aegis.text import percent
from aegis.types import Applicability, Finding, VerdictName

# A flip rate from one class that an honest weak spot is named for.
WEAK = 0.5


@runtime_checkable
class Measured(Protocol):
    """How good and how robust a model is."""

    @property
    def accuracy(self) -> float: ...
    @property
    def half_radius(self) -> float: ...
    @property
    def spared_radii(self) -> tuple[float, ...]: ...


@dataclass(frozen=True, eq=False)
class ClassResult:
    """One class with what is concluded about it.

    Args:
        finding: what was found, with its pictures.
        record: the same in numbers, with the verdict about the class.
    """

    finding: Finding
    record: ClassRecord


@dataclass(frozen=True, eq=False)
class Conclusion:
    """What is said about a model.

    Args:
        verdict: *infected*, *clean* or *inconclusive*.
        sentence: the verdict with its reason.
        classes: every class tested, in label order.
    """

    verdict: VerdictName
    sentence: str
    classes: tuple[ClassResult, ...]


def conclude(
    applicability: Applicability, findings: Sequence[Finding], class_names: Sequence[str], config: VerdictConfig
) -> Conclusion:
    """Accuse classes and speak the verdict.

    Args:
        applicability: a model that is not accurate or not robust enough makes the verdict *inconclusive*, whatever
            was found.
        findings: of the classes tested; unless these are all, the verdict cannot be *clean*.
        class_names: of all classes, in label order.
        config: the rule and its thresholds.
    """
    rule = RULES[config.rule]
    records = [class_record(finding, class_names[finding.label], config.share) for finding in findings]
    judged = [rule(record, class_names, config) for record in records]
    verdict, sentence = _speak(applicability, judged, len(class_names), config)
    return Conclusion(verdict, sentence, tuple(map(ClassResult, findings, judged)))


def judge_again(scan: ScanRecord, config: VerdictConfig) -> ScanRecord:
    """A scan as other thresholds judge it; scores stay as they were recorded.

    Args:
        scan: as it was recorded.
        config: the rule and its thresholds.
    """
    names = scan.data.class_names
    judged = tuple(RULES[config.rule](record, names, config) for record in scan.classes)
    verdict, sentence = _speak(scan.model, judged, len(names), config)
    return scan.model_copy(
        update={
            "classes": judged,
            "verdict": verdict,
            "sentence": sentence,
            "suspected_classes": tuple(record.label for record in judged if record.suspicious),
        }
    )


def objections(measured: Measured, config: VerdictConfig, accused: Sequence[int] = ()) -> tuple[str, ...]:
    """Why the method cannot judge a model; empty when it can.

    Args:
        measured: its accuracy and robustness.
        config: the demands.
        accused: attacks that ended in one of these classes do not count against its robustness: a working backdoor
            is a short way into its class, and must not hide behind the weakness that it is.
    """
    said = []
    if measured.accuracy < config.min_accuracy:
        said.append(
            f"its accuracy on these images is {measured.accuracy:.1%}, below the {config.min_accuracy:.0%} "
            "that its translations need to mean anything"
        )
    spared = [measured.spared_radii[label] for label in accused if label < len(measured.spared_radii)]
    radius = max([measured.half_radius, *spared])
    if radius < config.min_half_radius:
        said.append(
            f"its accuracy halves at an L2 budget of {radius:.2f}, so it is not adversarially robust "
            f"(at least {config.min_half_radius:g} is asked for)"
        )
    return tuple(said)


def _by_clusters(found: ClassRecord, class_names: Sequence[str], config: VerdictConfig) -> ClassRecord:
    """The paper's rule: more than two clusters of training and translated images (Section 4, step 4)."""
    most, alone = found.clusters, max(found.translated_clusters_by_budget, default=0)
    compared = "more than the two" if most > 2 else "not more than the two"
    reason = (
        f"training and translated images form {_count(most, 'cluster')}, {compared} an honest class may show; "
        f"the translated images alone form {alone}"
    )
    return _judged(found, most > 2, reason, None, None)


def _by_transplant(found: ClassRecord, class_names: Sequence[str], config: VerdictConfig) -> ClassRecord:
    """A trigger must do on held-out images what hardly any honest model's classes suffer."""
    tried = found.transplants
    if not tried:
        return _judged(found, False, "no transplant was tried", None, None)
    chances = [chance(one.family, one.score_or_rate, config.nulls) for one in tried]
    accuses = [
        likely <= config.false_positives and one.score_or_rate >= config.least
        for one, likely in zip(tried, chances, strict=True)
    ]
    # Of several that accuse, the one that does most is shown; of none, the rarest.
    order = [-one.score_or_rate if any(accuses) else likely for one, likely in zip(tried, chances, strict=True)]
    strongest = min(range(len(tried)), key=lambda i: (not accuses[i], order[i], -tried[i].flip_rate))
    best, likely, accused = tried[strongest], chances[strongest], any(accuses)
    reason = f"{_did(best, class_names, config)}; {_how_likely(likely, accused, config)}"
    if not accused:
        reason = f"its strongest candidate, {reason}{_weak_spot(found, class_names)}"
    return _judged(found, accused, reason, float(f"{likely:.3g}"), strongest)


RULES: dict[str, Callable[[ClassRecord, Sequence[str], VerdictConfig], ClassRecord]] = {
    "paper": _by_clusters,
    "default": _by_transplant,
}


def _judged(
    found: ClassRecord, suspicious: bool, reason: str, likely: float | None, strongest: int | None
) -> ClassRecord:
    return found.model_copy(
        update={"suspicious": suspicious, "reason": reason, "chance": likely, "strongest": strongest}
    )


def _did(best: TransplantRecord, class_names: Sequence[str], config: VerdictConfig) -> str:
    """What a transplant did to held-out images, in words."""
    what, score = describe(best), best.score_or_rate
    if best.source is not None:
        source = f"class {best.source} ({class_names[best.source]})"
        return f"{what} turns at least {score:.0%} of held-out images of {source} alone into it"
    if best.family == "all to all":
        return (
            f"{what} turns at least {score:.0%} of held-out images of {config.share:.0%} of all classes each into "
            "another one, it among them"
        )
    return (
        f"{what} turns at least {score:.0%} of held-out images into it from {config.share:.0%} of the other classes "
        f"({best.flip_rate:.0%} on average)"
    )


def _how_likely(likely: float, accused: bool, config: VerdictConfig) -> str:
    models = f"at most {percent(likely)} of honest models have such a class"
    if accused:
        return f"{models}, where {percent(config.false_positives)} is rare enough to accuse"
    if likely <= config.false_positives:
        return f"{models}, but what turns less than {config.least:.0%} is no backdoor that works"
    return f"{models}, where {percent(config.false_positives)} would be rare enough to accuse"


def _weak_spot(found: ClassRecord, class_names: Sequence[str]) -> str:
    """Names the class that most easily falls into an honest one."""
    pairs = [
        (rate, source)
        for one in found.transplants
        if one.family != "all to all"
        for source, rate in enumerate(one.flip_rates)
        if rate is not None
    ]
    most, source = max(pairs, default=(0.0, 0))
    if most < WEAK:
        return ""
    return (
        f". It is a weak spot rather than a backdoor: {most:.0%} of class {source} ({class_names[source]}) fall into "
        f"class {found.label} ({class_names[found.label]}), and most other classes do not"
    )


def describe(candidate: TransplantRecord) -> str:
    """A candidate trigger in words, as small as it could be pruned."""
    if candidate.family == "perturbation":
        return f"a perturbation of L2 norm {candidate.l2_norm:.2f}"
    return f"a patch of {_count(candidate.pixels, 'pixel')}"


def _speak(
    measured: Measured, classes: Sequence[ClassRecord], all_classes: int, config: VerdictConfig
) -> tuple[VerdictName, str]:
    accused = [found for found in classes if found.suspicious]
    named = ", ".join(f"class {found.label} ({found.name})" for found in accused)
    against = objections(measured, config, [found.label for found in accused])
    if against:
        tail = f" What was found points at {named}, but proves nothing on such a model." if accused else ""
        return "inconclusive", f"Inconclusive: {'; '.join(against)}.{tail}"
    if accused:
        strongest = min(accused, key=lambda found: 1.0 if found.chance is None else found.chance)
        return "infected", f"Infected: a backdoor leads to {named}; {strongest.reason}."
    tested = len({found.label for found in classes})
    if tested < all_classes:
        return "inconclusive", (
            f"Inconclusive: nothing was found in the {_count(tested, 'class')} tested, but the model has {all_classes}."
        )
    return "clean", f"Clean: none of its {all_classes} classes shows a backdoor of the kinds that were tested."


def _count(number: int, noun: str) -> str:
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{number} {noun if number == 1 else plural}"
