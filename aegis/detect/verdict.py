"""From findings to a verdict, with its sentence. Why was it flagged? The answer is here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aegis.detect.config import VerdictConfig
from aegis.types import Applicability, ClassResult, Finding, Transplant, VerdictName


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
    """Accuse classes and speak the verdict; the only place that does.

    Args:
        applicability: objections make the verdict *inconclusive*, whatever was found.
        findings: of the classes tested; unless these are all, the verdict cannot be *clean*.
        class_names: of all classes, in label order.
        config: the rule and its thresholds.
    """
    rule = RULES[config.rule]
    classes = []
    for finding in findings:
        suspicious, reason = rule(finding, config)
        classes.append(ClassResult(finding, class_names[finding.label], suspicious, reason))
    verdict, sentence = _speak(applicability, classes, len(class_names))
    return Conclusion(verdict, sentence, tuple(classes))


def _by_clusters(finding: Finding, config: VerdictConfig) -> tuple[bool, str]:
    """The paper's rule: more than two clusters of training and translated images (Section 4, step 4)."""
    counts = [clusters.count for clusters in finding.clusters]
    alone = [clusters.count for clusters in finding.translated_clusters]
    most = max(counts)
    compared = "more than the two" if most > 2 else "not more than the two"
    return most > 2, (
        f"training and translated images form {_count(most, 'cluster')}, {compared} an honest class may show; "
        f"the translated images alone form {max(alone)}"
    )


def _by_transplant(finding: Finding, config: VerdictConfig) -> tuple[bool, str]:
    """A trigger found in the class's translations must flip most source classes on held-out images."""
    thresholds = {"patch": config.patch, "perturbation": config.perturbation}
    best = strongest(finding, config)
    if best is None:
        return False, "no transplant was tried"
    reached = best.quantile(1 - config.share)
    needed = thresholds[best.family]
    did = (
        f"turns at least {reached:.0%} of held-out images into it "
        f"from {config.share:.0%} of the other classes ({best.flip_rate:.0%} on average)"
    )
    if reached >= needed:
        return True, f"{describe(best)} {did}, where {needed:.0%} is enough to accuse"
    return False, f"its strongest candidate, {describe(best)}, {did}, where {needed:.0%} would accuse"


RULES: dict[str, Callable[[Finding, VerdictConfig], tuple[bool, str]]] = {
    "paper": _by_clusters,
    "default": _by_transplant,
}


def strongest(finding: Finding, config: VerdictConfig) -> Transplant | None:
    """The transplant that comes closest to its family's threshold, or goes farthest beyond it."""
    thresholds = {"patch": config.patch, "perturbation": config.perturbation}
    return max(
        finding.evidence.transplants,
        key=lambda t: (t.quantile(1 - config.share) / thresholds[t.family], t.flip_rate),
        default=None,
    )


def describe(transplant: Transplant) -> str:
    """A transplant in words."""
    touched = transplant.stamp.touched
    if transplant.family == "patch":
        return f"a patch of {_count(int(touched.sum()), 'pixel')}"
    return f"a perturbation of L2 norm {float((transplant.stamp.add**2).sum() ** 0.5):.2f}"


def _speak(applicability: Applicability, classes: Sequence[ClassResult], all_classes: int) -> tuple[VerdictName, str]:
    accused = [c for c in classes if c.suspicious]
    named = ", ".join(f"class {c.finding.label} ({c.name})" for c in accused)
    if applicability.objections:
        tail = f" What was found points at {named}, but proves nothing on such a model." if accused else ""
        return "inconclusive", f"Inconclusive: {'; '.join(applicability.objections)}.{tail}"
    if accused:
        return "infected", f"Infected: a backdoor leads to {named}; {accused[0].reason}."
    tested = len({c.finding.label for c in classes})
    if tested < all_classes:
        return "inconclusive", (
            f"Inconclusive: nothing was found in the {_count(tested, 'class')} tested, but the model has {all_classes}."
        )
    return "clean", f"Clean: none of its {all_classes} classes shows a backdoor of the kinds that were tested."


def _count(number: int, noun: str) -> str:
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{number} {noun if number == 1 else plural}"
