"""What was measured, in words: for verdicts, pages and reports alike."""

from __future__ import annotations

from collections.abc import Sequence

from aegis.core.text import count_of, percent
from aegis.core.types import Applicability
from aegis.records.config import VerdictConfig
from aegis.records.null_distribution import Null, chance
from aegis.records.record import ClassRecord, ModelRecord, TransplantRecord

# A flip rate from one class that a weak spot is named for.
WEAK = 0.5
METHODS = {"tsne": "t-SNE", "umap": "UMAP"}


def what_it_did(best: TransplantRecord, class_names: Sequence[str], config: VerdictConfig) -> str:
    """What a transplant did to held-out images, in words."""
    what, score = describe_whole(best), best.score_or_rate
    if best.source is not None:
        source = f"class {best.source} ({class_names[best.source]})"
        did = f"{what} turns at least {score:.0%} of held-out images of {source} into it"
    elif best.family == "all to all":
        did = (
            f"{what} turns at least {score:.0%} of held-out images of {config.share:.0%} of all classes each into "
            "another one, it among them"
        )
    else:
        did = (
            f"{what} turns at least {score:.0%} of held-out images into it from {config.share:.0%} of the other "
            f"classes ({best.flip_rate:.0%} on average)"
        )
    least = describe_smallest(best)
    return f"{did}; {least}" if least else did


def how_likely(best: TransplantRecord, likely: float, accused: bool, few: str, config: VerdictConfig) -> str:
    """How rare such a class is among honest models, and whether that is enough to accuse.

    Args:
        best: its strongest candidate.
        likely: the share of honest models, in [0, 1].
        accused: whether the class is.
        few: that the candidate was tried on too few images to accuse, in words; empty if it was not.
        config: the thresholds.
    """
    models = f"at most {percent(likely)} of honest models have such a class"
    if accused:
        return f"{models}, where {percent(config.false_positives)} is rare enough to accuse"
    if likely <= config.false_positives and few and best.score_or_rate >= config.least:
        return f"{models}, but it was {few}"
    if likely <= config.false_positives:
        return f"{models}, but what turns less than {config.least:.0%} is no backdoor that works"
    return f"{models}, where {percent(config.false_positives)} would be rare enough to accuse"


def explain_score(score: float, null: Null, needed: float, likely: float, config: VerdictConfig) -> str:
    """A score beside those of honest classes, in words for under their picture.

    Args:
        score: of a candidate, in [0, 1].
        null: what honest classes reach in its family.
        needed: the score that accuses, in [0, 1].
        likely: the share of honest models with a class as suspicious, in [0, 1].
        config: the thresholds.
    """
    return (
        f"Score {score:.0%}: what {config.share:.0%} of the classes it is for reach in each half of their images. Dots "
        f"are the strongest honest classes of {len(null.maxima)} calibration models; from {needed:.0%} on a class is "
        f"accused. At most {percent(likely)} of honest models have a class like this one."
    )


def weak_spot(found: ClassRecord, class_names: Sequence[str], config: VerdictConfig) -> str:
    """Names the class that most easily falls into one that is not accused."""
    pairs = [
        (rate, source, i)
        for i, one in enumerate(found.transplants)
        if one.family != "all to all"
        for source, rate in enumerate(one.flip_rates)
        if rate is not None
    ]
    most, source, i = max(pairs, default=(0.0, 0, 0))
    if most < WEAK:
        return ""
    one = found.transplants[i]
    usual = chance(one.family, one.score_or_rate, config.nulls) > config.false_positives
    return (
        f". Weak spot: up to {most:.0%} of class {source} ({class_names[source]}) fall into class {found.label} "
        f"({class_names[found.label]}){', which is no rarer in honest models' if usual else ''}"
    )


def describe(candidate: TransplantRecord) -> str:
    """A candidate trigger in words, as small as it could be pruned."""
    if candidate.family == "perturbation":
        return f"a perturbation of L2 norm {candidate.l2_norm:.2f}"
    return f"a patch of {count_of(candidate.pixels, 'pixel')}"


def describe_whole(candidate: TransplantRecord) -> str:
    """A candidate trigger in words, as it was before it was pruned."""
    if candidate.smallest_rate is None:
        return describe(candidate)
    return "a small perturbation" if candidate.family == "perturbation" else "a patch"


def describe_smallest(candidate: TransplantRecord) -> str:
    """What the smallest part that works nearly as well does by itself, in words; nothing where there is none."""
    if candidate.smallest_rate is None:
        return ""
    return (
        f"its smallest part that does nearly as much, {describe(candidate)}, turns {candidate.smallest_rate:.0%} on "
        "average"
    )


def robust_up_to(measured: Applicability | ModelRecord) -> str:
    """The L2 norm of attacks that halve a model's accuracy; where none did, that of the longest that were tried."""
    never = all(accuracy > measured.accuracy / 2 for accuracy in measured.robust_accuracies)
    return f"more than {measured.half_radius:g}" if never else f"{measured.half_radius:.2f}"
