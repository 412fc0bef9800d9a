"""What was measured, in words: for verdicts, pages and reports alike."""

from __future__ import annotations

from collections.abc import Sequence

from aegis.core.text import class_called, count_of, percent
from aegis.core.types import Applicability
from aegis.records.config import VerdictConfig
from aegis.records.null_distribution import NullDistribution, p_value
from aegis.records.record import ClassRecord, ModelRecord, TriggerRecord

# A flip rate from one class that a weak spot is named for.
WEAK = 0.5
METHODS = {"tsne": "t-SNE", "umap": "UMAP"}


def what_it_did(best: TriggerRecord, class_names: Sequence[str], config: VerdictConfig) -> str:
    """What a candidate did to held-out images, in words."""
    what, score = describe_whole(best), best.score_or_rate
    if best.source is not None:
        source = class_called(best.source, class_names[best.source])
        did = f"{what} turns {_at_least(score)} held-out images of {source} into it"
    elif best.family == "all-to-all":
        did = (
            f"{what} turns {_at_least(score)} held-out images of {config.source_quantile:.0%} of all classes each "
            "into another one, it among them"
        )
    else:
        did = (
            f"{what} turns {_at_least(score)} held-out images into it from {config.source_quantile:.0%} of the "
            f"other classes ({best.flip_rate:.0%} on average)"
        )
    least = describe_smallest(best)
    return f"{did}; {least}" if least else did


def _at_least(score: float) -> str:
    """A lower bound of a share in words: nothing is more than all."""
    return "all" if score >= 0.995 else f"at least {score:.0%} of"


def how_likely(best: TriggerRecord, likely: float, flagged: bool, few: str, config: VerdictConfig) -> str:
    """How rare such a class is among benign models, and whether that is enough to flag.

    Args:
        best: its strongest candidate.
        likely: the share of benign models, in [0, 1].
        flagged: whether the class is.
        few: that the candidate was tried on too few images to flag, in words; empty if it was not.
        config: the thresholds.
    """
    models = f"at most {percent(likely)} of benign models have such a class"
    if flagged:
        return f"{models}, where {percent(config.alpha)} is rare enough to flag"
    if likely <= config.alpha and few and best.score_or_rate >= config.min_score:
        return f"{models}, but it was {few}"
    if likely <= config.alpha:
        return f"{models}, but what turns less than {config.min_score:.0%} is no backdoor that works"
    return f"{models}, where {percent(config.alpha)} would be rare enough to flag"


def explain_score(score: float, null: NullDistribution, needed: float, likely: float, config: VerdictConfig) -> str:
    """A score beside those of benign classes, in words for under their picture.

    Args:
        score: of a candidate, in [0, 1].
        null: what benign classes reach in its family.
        needed: the score that flags, in [0, 1].
        likely: the share of benign models with a class as flagged, in [0, 1].
        config: the thresholds.
    """
    return (
        f"Score {score:.0%}: what {config.source_quantile:.0%} of the classes it is for reach in each half of their "
        f"images. Dots are the strongest benign classes of {len(null.maxima)} calibration models; from {needed:.0%} on "
        f"a class is flagged. At most {percent(likely)} of benign models have a class like this one."
    )


def weak_spot(found: ClassRecord, class_names: Sequence[str], config: VerdictConfig) -> str:
    """Names the class that most easily falls into one that is not flagged."""
    pairs = [
        (rate, source, i)
        for i, one in enumerate(found.triggers)
        if one.family != "all-to-all"
        for source, rate in enumerate(one.flip_rates)
        if rate is not None
    ]
    most, source, i = max(pairs, default=(0.0, 0, 0))
    if most < WEAK:
        return ""
    one = found.triggers[i]
    usual = p_value(one.family, one.score_or_rate, config.nulls) > config.alpha
    rarity = ", which is no rarer in benign models" if usual else ""
    here, there = (class_called(label, class_names[label]) for label in (source, found.label))
    return f". Weak spot: up to {most:.0%} of {here} fall into {there}{rarity}"


def describe(candidate: TriggerRecord) -> str:
    """A candidate trigger in words, as small as it could be pruned."""
    if candidate.family == "perturbation":
        return f"a perturbation of L2 norm {candidate.l2_norm:.2f}"
    return f"a patch of {count_of(candidate.pixels, 'pixel')}"


def describe_whole(candidate: TriggerRecord) -> str:
    """A candidate trigger in words, as it was before it was pruned."""
    if candidate.smallest_rate is None:
        return describe(candidate)
    return "a small perturbation" if candidate.family == "perturbation" else "a patch"


def describe_smallest(candidate: TriggerRecord) -> str:
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
