"""A finding of the paper, and whether it holds here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from aegis.experiments.detection_rates import Rate


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A finding of the paper and what is recorded here.

    Args:
        question: the research question (Section 5).
        claim: what the paper says.
        paper: its numbers, in words.
        by: the detector or preset that ours are by; empty where none takes part.
        ours: our numbers, in words; empty where nothing is recorded.
        rate: how often it was so here, or None for a finding without anything to count.
        published: the paper's rate, in [0, 1]; None where it gives none.
        same: whether ours point the same way; None where nothing is recorded.
        reason: why ours differ, as far as that is known.
    """

    question: str
    claim: str
    paper: str
    by: str = ""
    ours: str = ""
    rate: Rate | None = None
    published: float | None = None
    same: bool | None = None
    reason: str = ""

    @property
    def agrees(self) -> bool | None:
        """Whether the confidence interval of our rate has the paper's rate in it; None where either is missing."""
        if self.rate is None or self.published is None:
            return None
        low, high = self.rate.interval
        return low <= self.published <= high


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A rate that the paper gives.

    Args:
        question, claim: as in ``Finding``.
        hits, number: the counts that the paper's rate is of.
    """

    question: str
    claim: str
    hits: int
    number: int

    def beside(self, by: str, rate: Rate | None, reason: str = "") -> Finding:
        """Puts our rate beside the paper's: the same way if both lie above one half, or both below.

        Args:
            by: the detector or preset.
            rate: ours; None or of nothing where nothing is recorded.
            reason: why ours differ, where they do.

        Returns:
            The finding.
        """
        published = self.hits / self.number
        text = f"{published:.1%} ({self.hits} of {self.number})"
        if rate is None or not rate.models:
            return Finding(question=self.question, claim=self.claim, paper=text, by=by)
        ours = rate.hits / rate.models
        found = Finding(
            question=self.question,
            claim=self.claim,
            paper=text,
            by=by,
            ours=f"{ours:.1%}",
            rate=rate,
            published=published,
            same=(ours > 0.5) == (published > 0.5),
            reason=reason,
        )
        return replace(found, reason="") if found.same and found.agrees else found


def compare(
    question: str,
    claim: str,
    paper: tuple[float, float],
    ours: tuple[Sequence[float], Sequence[float]],
    form: str = "{:.1f}% against {:.1f}%",
) -> Finding:
    """Compares the means of two groups of models that stand beside each other in pairs.

    Args:
        question, claim: as in ``Finding``; the claim is that the first group's number is higher.
        paper: both means in the paper, in percent.
        ours: shares of both groups here, in [0, 1], pair by pair; empty where models are missing.
        form: how two numbers are written.

    Returns:
        The finding, with the number of pairs in which the first is higher.
    """
    text = f"{form.format(*paper)} ({paper[0] / paper[1] - 1:+.1%})"
    first, second = ours
    if not first:
        return Finding(question=question, claim=claim, paper=text)
    means = fmean(first), fmean(second)
    rate = Rate(sum(a > b for a, b in zip(first, second, strict=True)), len(first))
    said = f"{form.format(*(100 * mean for mean in means))} ({means[0] / means[1] - 1:+.1%})"
    return Finding(question=question, claim=claim, paper=text, ours=said, rate=rate, same=(means[0] > means[1]))
