"""The clauses of reasons and verdicts, shared by command line, pages and reports: short, with one number each."""

from __future__ import annotations

from collections.abc import Sequence

from aegis.core.text import class_called, count_of, percent
from aegis.core.types import Applicability
from aegis.records.config import VerdictConfig
from aegis.records.record import ClassRecord, ModelRecord, TriggerRecord

# Attack success rate of one source class from which a weak spot is mentioned.
WEAK = 0.5
# A share from which on *at most* would say nothing.
COMMON = 0.995
METHODS = {"tsne": "t-SNE", "umap": "UMAP"}


def in_sentences(*clauses: str) -> str:
    """Join clauses into sentences; the first begins as it is and the last has no full stop, so that callers can go on.

    Args:
        clauses: without capital and full stop; empty ones are left out.

    Returns:
        The text.
    """
    said = [clause for clause in clauses if clause]
    return ". ".join([*said[:1], *map(capitalised, said[1:])])


def capitalised(clause: str) -> str:
    """Write the first letter of a clause as a capital.

    Args:
        clause: may be empty.

    Returns:
        The clause, otherwise unchanged.
    """
    return clause[:1].upper() + clause[1:]


def share_of(rate: float) -> str:
    """Say a share before *the images*, without claiming all where one was missed.

    Args:
        rate: in [0, 1].

    Returns:
        Words such as *86% of*, *more than 99% of* or *all*.
    """
    if rate >= 1:
        return "all"
    return "more than 99% of" if rate >= 0.995 else f"{rate:.0%} of"


def what_it_did(best: TriggerRecord, class_names: Sequence[str], flagged: bool) -> str:
    """Say the attack success rate of a candidate on held-out images, and how large it is.

    Args:
        best: the strongest candidate of a class.
        class_names: of all classes, in label order.
        flagged: whether the class is.

    Returns:
        Sentences, the first without a capital and the last without a full stop.
    """
    kind = "an all-to-all patch" if best.family == "all-to-all" else describe_whole(best)
    subject = kind if flagged else f"its strongest candidate, {kind},"
    turns = f"{subject} turns {share_of(best.flip_rate)} the held-out images"
    if best.source is not None:
        did = f"{turns} of {class_called(best.source, class_names[best.source])} into it"
    elif best.family == "all-to-all":
        did = f"{turns} into another class"
    else:
        did = f"{turns} of other classes into it"
    return in_sentences(did, _size(best))


def rarity(p_value: float) -> str:
    """Say how many benign models have a class with such a score.

    Args:
        p_value: an upper bound of their share, in [0, 1].

    Returns:
        A clause without capital and full stop.
    """
    if p_value >= COMMON:
        return "any benign model may have such a class"
    return f"at most {percent(p_value)} of benign models have such a class"


def explain_rarity(best: TriggerRecord, p_value: float, flagged: bool, few: str, config: VerdictConfig) -> str:
    """Say how rare such a class is among benign models, and whether that is enough to flag it.

    Args:
        best: its strongest candidate.
        p_value: the share of benign models, in [0, 1].
        flagged: whether the class is.
        few: words such as *tried on 4 test images of a class only*; empty if there were enough.
        config: the thresholds.

    Returns:
        Sentences, the first without a capital and the last without a full stop.
    """
    if flagged:
        return f"{rarity(p_value)}, which is rare enough to flag it"
    if p_value > config.alpha:
        if p_value >= COMMON:
            return rarity(p_value)
        return f"{rarity(p_value)}, which is not rare enough to flag it"
    if few and best.score_or_rate >= config.min_score:
        return in_sentences(rarity(p_value), f"it is not flagged, because its trigger was {few}")
    # Rounded down, so that a score just below the threshold does not read as reaching it.
    return in_sentences(rarity(p_value), f"its score, {int(100 * best.score_or_rate)}%, is too low to flag it")


def explain_clusters(most: int, translated: int) -> str:
    """Say why the paper's rule flags a class or not.

    Args:
        most: clusters that its training and translated images form, at the budget where they form most.
        translated: clusters that its translated images form alone.

    Returns:
        Sentences, the first without a capital and the last without a full stop.
    """
    # Section 4, step 4 of the paper: more than two clusters.
    compared = "more than a benign class may form" if most > 2 else "no more than a benign class may form"
    return in_sentences(
        f"training and translated images form {count_of(most, 'cluster')}, {compared}",
        f"the translated images alone form {translated}",
    )


def explain_score(score: float, benign: int, needed: float, p_value: float, config: VerdictConfig) -> str:
    """Explains the picture of a score beside those of benign models.

    Args:
        score: of a candidate, in [0, 1].
        benign: number of benign models in the picture.
        needed: the score that flags, in [0, 1].
        p_value: the share of benign models with a class as flagged, in [0, 1].
        config: the thresholds.

    Returns:
        Sentences.
    """
    dots = (
        f"the strongest classes of {benign} benign models, at the level of this model's other classes"
        if not config.reference_models
        else f"what the same search reaches in {count_of(benign, 'benign model')} of the same data"
    )
    return (
        f"Score {score:.0%}. In each half of the images, {config.source_quantile:.0%} of the source classes reach it. "
        f"Dots are {dots}. From {needed:.0%} on a class is flagged. {capitalised(rarity(p_value))}."
    )


def weak_spot(found: ClassRecord, class_names: Sequence[str], config: VerdictConfig) -> str:
    """For a class that is not flagged, name the source class whose images its candidates turn into it most often.

    Args:
        found: the class that is not flagged.
        class_names: of all classes, in label order.
        config: with the null distributions.

    Returns:
        Sentences without the last full stop; empty where no source class has a rate of at least ``WEAK``.
    """
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
    usual = config.p_value(one.family, found.label, one.source, one.score_or_rate) > config.alpha
    where = class_called(source, class_names[source])
    return in_sentences(
        f"weak spot: {describe_whole(one)} turns {share_of(most)} the images of {where} into it",
        _natural(found, one, config) if usual else "",
    )


def _natural(found: ClassRecord, one: TriggerRecord, config: VerdictConfig) -> str:
    """Says of how many benign models such a weak spot is known."""
    if not config.reference_models:
        return "benign models commonly have such a weak spot"
    alike = config.compared_with.alike(one.family, found.label, one.source, one.score_or_rate)
    models = len(config.reference_models)
    if not alike:
        return ""
    return f"it is a natural weak spot of this data: {alike} of {models} benign reference models have it too"


def size_of(candidate: TriggerRecord) -> str:
    """Say how large a candidate is after minimisation.

    Args:
        candidate: the candidate.

    Returns:
        Its number of pixels, or its L2 norm for a perturbation.
    """
    if candidate.family == "perturbation":
        return f"an L2 norm of {candidate.l2_norm:.2f}"
    return count_of(candidate.pixels, "pixel")


def describe_whole(candidate: TriggerRecord) -> str:
    """Name the kind of a candidate.

    Args:
        candidate: the candidate.

    Returns:
        *a patch* or *a perturbation*.
    """
    return "a perturbation" if candidate.family == "perturbation" else "a patch"


def describe_size(candidate: TriggerRecord) -> str:
    """Say how large a candidate is, and the attack success rate of its smallest part where there is one.

    Args:
        candidate: the candidate.

    Returns:
        Sentences.
    """
    said = f"{capitalised(_size(candidate))}."
    if candidate.smallest_rate is None:
        return said
    return f"{said} That part alone turns {share_of(candidate.smallest_rate)} the images."


def _size(candidate: TriggerRecord) -> str:
    whole = describe_whole(candidate).replace("a ", "the ", 1)
    part = whole if candidate.smallest_rate is None else f"the smallest part of {whole} that works nearly as well"
    return f"{part} has {size_of(candidate)}"


def robust_up_to(measured: Applicability | ModelRecord) -> str:
    """Say the L2 norm of attacks that halve a model's accuracy.

    Args:
        measured: accuracy and robustness of the model.

    Returns:
        The norm, or *more than* the largest that was tried where none halved the accuracy.
    """
    never = all(accuracy > measured.accuracy / 2 for accuracy in measured.robust_accuracies)
    return f"more than {measured.half_radius:g}" if never else f"{measured.half_radius:.2f}"
