"""Decides which classes are flagged and why, and words the verdict.

Judging needs records only, no model and no images, so that a saved scan is judged again by other thresholds at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from aegis.core.text import class_called, count_of
from aegis.core.types import Applicability, Family, Finding, VerdictName
from aegis.records.builders import class_record
from aegis.records.config import VerdictConfig
from aegis.records.fitting import fitted
from aegis.records.record import ClassRecord, ScanRecord, TriageRecord, TriggerRecord
from aegis.records.wording import explain_clusters, explain_rarity, in_sentences, weak_spot, what_it_did

# Smallest mean number of held-out images per class that can flag a trigger; the thresholds come from fifty.
MIN_TRIED = 10
# Classes that were not examined and are named.
NEXT = 3
# Order of families if several triggers flag a class: a trigger that works for more classes is stronger evidence, and
# a source-specific search nearly always succeeds where a search for all classes does.
FAMILY_ORDER: dict[Family, int] = {"patch": 0, "perturbation": 0, "all-to-all": 1, "source-specific": 2}


@runtime_checkable
class Measured(Protocol):
    """Accuracy and robustness of a model."""

    @property
    def accuracy(self) -> float:
        """Accuracy on the test images, in [0, 1]."""
        ...

    @property
    def half_radius(self) -> float:
        """L2 radius at which accuracy falls to half."""
        ...

    @property
    def half_radii_excluding_target(self) -> tuple[float, ...]:
        """For each class, the L2 radius at which accuracy halves if attacks that end in it are not counted."""
        ...


@dataclass(frozen=True, eq=False)
class ClassResult:
    """Holds what was found about one class and the conclusion.

    Args:
        finding: evidence, embeddings and clusters; None in a scan of many classes or large images.
        record: the same in numbers, with the verdict about the class.
    """

    finding: Finding | None
    record: ClassRecord


@dataclass(frozen=True, eq=False)
class Conclusion:
    """Holds the verdict about a model.

    Args:
        verdict: *infected*, *clean* or *inconclusive*.
        sentence: the verdict with its reason.
        classes: every class tested, in the order requested.
    """

    verdict: VerdictName
    sentence: str
    classes: tuple[ClassResult, ...]


def conclude(
    applicability: Applicability, findings: Sequence[Finding], class_names: Sequence[str], config: VerdictConfig
) -> Conclusion:
    """Flags classes and gives the verdict.

    Args:
        applicability: measurements of the model; if it is not accurate or not robust enough, the verdict is
            *inconclusive*.
        findings: findings of the classes tested; if classes are missing, the verdict cannot be *clean*.
        class_names: names of all classes, in label order.
        config: the rule and its thresholds.

    Returns:
        The verdict, with a result for each class.
    """
    found = [
        ClassResult(finding, class_record(finding, class_names[finding.label], config.source_quantile))
        for finding in findings
    ]
    return conclude_classes(applicability, found, class_names, config)


def conclude_classes(
    applicability: Applicability,
    classes: Sequence[ClassResult],
    class_names: Sequence[str],
    config: VerdictConfig,
    triage: TriageRecord | None = None,
) -> Conclusion:
    """Flags classes and gives the verdict.

    Args:
        applicability, class_names, config: as in ``conclude``.
        classes: the classes tested, not judged yet.
        triage: how classes were ranked, if the likeliest were examined first.

    Returns:
        The verdict, with a result for each class.
    """
    judged = judge_all([one.record for one in classes], class_names, config)
    verdict, sentence = _speak(applicability, judged, class_names, config, triage)
    results = tuple(ClassResult(one.finding, record) for one, record in zip(classes, judged, strict=True))
    return Conclusion(verdict, sentence, results)


def judge_again(scan: ScanRecord, config: VerdictConfig) -> ScanRecord:
    """Judges a saved scan by other thresholds; its scores are unchanged.

    Args:
        scan: the saved scan.
        config: the rule and its thresholds.

    Returns:
        The scan with new verdicts.
    """
    names = scan.data.class_names
    judged = tuple(judge_all(scan.classes, names, config))
    verdict, sentence = _speak(scan.model, judged, names, config, scan.triage)
    return scan.model_copy(
        update={
            "classes": judged,
            "verdict": verdict,
            "sentence": sentence,
            "flagged_classes": tuple(record.label for record in judged if record.flagged),
        }
    )


def judge_all(classes: Sequence[ClassRecord], names: Sequence[str], config: VerdictConfig) -> list[ClassRecord]:
    """Judges classes beside each other.

    Args:
        classes: the classes tested.
        names: of all classes, in label order.
        config: the rule and its thresholds.

    Returns:
        The same classes, flagged or not, with the reasons.
    """
    config = fitted(config, classes, len(names))
    return [RULES[config.rule](record, names, config) for record in classes]


def objections(measured: Measured, config: VerdictConfig, flagged: Sequence[int] = ()) -> tuple[str, ...]:
    """Lists the reasons why the method cannot judge a model.

    Args:
        measured: accuracy and robustness of the model.
        config: the least accuracy and half radius.
        flagged: flagged classes. Attacks that end in one of them are not counted: a backdoor makes the model look less
            robust, and would otherwise turn its own verdict into *inconclusive*.

    Returns:
        The reasons in words; empty if the method applies.
    """
    said = []
    if measured.accuracy < config.min_accuracy:
        said.append(
            f"its accuracy on these images is {measured.accuracy:.1%}. Translated images mean something only from "
            f"{config.min_accuracy:.0%} on"
        )
    spared = [
        measured.half_radii_excluding_target[label]
        for label in flagged
        if label < len(measured.half_radii_excluding_target)
    ]
    radius = max([measured.half_radius, *spared])
    if radius < config.min_half_radius:
        said.append(
            f"its accuracy halves at an L2 radius of {radius:.2f}, so it is not adversarially robust. "
            f"At least {config.min_half_radius:g} is needed"
        )
    return tuple(said)


def _by_clusters(found: ClassRecord, class_names: Sequence[str], config: VerdictConfig) -> ClassRecord:
    """Flags a class with more than two clusters of training and translated images (the paper's rule, Section 4)."""
    most, alone = found.clusters, max(found.translated_clusters_by_budget, default=0)
    return _judged(found, most > 2, explain_clusters(most, alone), None, None)


def _by_trigger(found: ClassRecord, class_names: Sequence[str], config: VerdictConfig) -> ClassRecord:
    """Flags a class if one trigger has a p-value of at most ``alpha`` and a score of at least ``min_score``, and was
    tried on at least ``MIN_TRIED`` images of a class."""
    tried = found.triggers
    if not tried:
        return _judged(found, False, "no candidate trigger was tried", None, None)
    p_values = [config.p_value(one.family, found.label, one.source, one.score_or_rate) for one in tried]
    flags = [
        p <= config.alpha and one.score_or_rate >= config.min_score and not _too_few(one)
        for one, p in zip(tried, p_values, strict=True)
    ]
    flagged = any(flags)

    def key(i: int) -> tuple[float, ...]:
        """Sorts flagging triggers by family and score, and others by p-value."""
        one = tried[i]
        order = (FAMILY_ORDER[one.family], -one.score_or_rate) if flagged else (p_values[i],)
        return (not flags[i], *order, -one.flip_rate)

    strongest = min(range(len(tried)), key=key)
    best, p = tried[strongest], p_values[strongest]
    reason = in_sentences(
        what_it_did(best, class_names, flagged),
        explain_rarity(best, p, flagged, _too_few(best), config),
        "" if flagged else weak_spot(found, class_names, config),
    )
    return _judged(found, flagged, reason, float(f"{p:.3g}"), strongest)


RULES: dict[str, Callable[[ClassRecord, Sequence[str], VerdictConfig], ClassRecord]] = {
    "paper": _by_clusters,
    "default": _by_trigger,
}


def _judged(
    found: ClassRecord, flagged: bool, reason: str, p_value: float | None, strongest: int | None
) -> ClassRecord:
    return found.model_copy(update={"flagged": flagged, "reason": reason, "p_value": p_value, "strongest": strongest})


def _speak(
    measured: Measured,
    classes: Sequence[ClassRecord],
    names: Sequence[str],
    config: VerdictConfig,
    triage: TriageRecord | None,
) -> tuple[VerdictName, str]:
    flagged, all_classes = [found for found in classes if found.flagged], len(names)
    named = ", ".join(class_called(found.label, found.name) for found in flagged)
    against = objections(measured, config, [found.label for found in flagged])
    if against:
        tail = f"the scan points at {named}, but that proves nothing on such a model" if flagged else ""
        if not classes:
            tail = "so no class was examined. With --classes some are examined all the same"
        return "inconclusive", f"Inconclusive: {in_sentences(*against, tail)}."
    if flagged:
        strongest = min(flagged, key=_rarest_first)
        of = f"for class {strongest.label}, " if len(flagged) > 1 else ""
        return "infected", f"Infected: {in_sentences(f'a backdoor leads to {named}', f'{of}{strongest.reason}')}."
    tested = len({found.label for found in classes})
    if tested < all_classes and triage is not None:
        return "inconclusive", f"Inconclusive: {_left(triage, classes, names)}."
    if tested < all_classes:
        return "inconclusive", (
            f"Inconclusive: nothing was found in the {count_of(tested, 'class')} tested. The model has {all_classes}."
        )
    if config.rule == "paper":
        return "clean", f"Clean by the paper's rule: none of its {all_classes} classes forms more than two clusters."
    if missing := _untried(classes):
        return "inconclusive", f"Inconclusive: {missing}."
    return "clean", f"Clean: none of its {all_classes} classes shows a backdoor of the kinds that were tested."


def _left(triage: TriageRecord, classes: Sequence[ClassRecord], names: Sequence[str]) -> str:
    """Says what a triage left unexamined."""
    examined = {found.label for found in classes}
    next_ones = [class_called(k, names[k]) for k in triage.order if k not in examined][:NEXT]
    if not examined:
        return in_sentences(
            "no class was examined in time", f"the likeliest of {len(names)} are {', '.join(next_ones)}"
        )
    tested = f"nothing was found in the {count_of(len(examined), 'class')} examined, the likeliest of {len(names)}"
    return in_sentences(tested, f"next come {', '.join(next_ones)}")


def _rarest_first(found: ClassRecord) -> tuple[float, float]:
    rate = 0.0 if found.strongest is None else found.triggers[found.strongest].score_or_rate
    return (1.0 if found.p_value is None else found.p_value, -rate)


def _untried(classes: Sequence[ClassRecord]) -> str:
    """Explains why classes without a flag cannot be called benign by their triggers; empty if they can."""
    if not all(found.triggers for found in classes):
        return "no trigger was tried"
    fewest = min((max(found.triggers, key=_tried_on) for found in classes), key=_tried_on)
    few = _too_few(fewest)
    return f"triggers were {few}" if few else ""


def _too_few(one: TriggerRecord) -> str:
    """Says that a trigger was tried on too few images; empty if they suffice."""
    tried = _tried_on(one)
    if tried >= MIN_TRIED:
        return ""
    # Rounded down, so that 9.6 images do not read as the 10 required.
    return f"tried on {count_of(int(tried), 'test image')} of a class only. At least {MIN_TRIED} are needed"


def _tried_on(one: TriggerRecord) -> float:
    """Mean number of held-out images per class that a trigger was tried on."""
    return one.images / max(sum(rate is not None for rate in one.flip_rates), 1)
