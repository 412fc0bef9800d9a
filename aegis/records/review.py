"""What analysts say of a finished scan: a list of reviews, to which each decision is added and none is overwritten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from aegis.core.text import count_of, minute, printable
from aegis.records.record import ScanRecord

Decision = Literal["confirmed", "dismissed", "open"]
# Characters of a name and of a note; the report's first page still holds them.
AUTHOR, NOTE = 60, 2000
UNNAMED = "an analyst"
# Decisions that are named one by one.
NAMED = 3


@dataclass(frozen=True)
class Review:
    """One review of a scan; the recorded verdict stays as it is.

    Args:
        note: the reason, free text; its line breaks are kept.
        decisions: on classes, by label; *open* takes back what an earlier review decided.
        author: who wrote it; empty where nobody said so, as in reviews of earlier versions.
        created: when, in ISO 8601; empty where that is not known.
    """

    note: str = ""
    decisions: Mapping[int, Decision] = field(default_factory=dict)
    author: str = ""
    created: str = ""

    def to_json(self) -> str:
        """Write the review as JSON.

        Returns:
            The text.
        """
        return _ADAPTER.dump_json(self).decode()


_ADAPTER = TypeAdapter(Review)
Reviews = Sequence[Review]


def read_review(text: bytes) -> Review | None:
    """Read a review from JSON, with or without author and time.

    Args:
        text: the JSON text.

    Returns:
        The review; None if the text is none.
    """
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError:
        return None


def decided(reviews: Reviews) -> dict[int, tuple[Decision, Review]]:
    """Find what stands: for each class the latest decision, unless that took the one before back.

    Args:
        reviews: of one scan, the latest last.

    Returns:
        Decision and the review that made it, by label.
    """
    found = {label: (made, review) for review in reviews for label, made in review.decisions.items()}
    return {label: found[label] for label in sorted(found) if found[label][0] != "open"}


def are_dismissed(record: ScanRecord, reviews: Reviews) -> bool:
    """Tell whether analysts dismissed every class that the scan flags, and confirmed no other one."""
    made = {label: decision for label, (decision, _) in decided(reviews).items()}
    flagged = [one.label for one in record.classes if one.flagged]
    return (
        bool(flagged) and all(made.get(label) == "dismissed" for label in flagged) and "confirmed" not in made.values()
    )


def say_status(record: ScanRecord, reviews: Reviews, limit: int = 300) -> str:
    """Say what analysts decided, to be read after the verdict.

    Args:
        record: the scan.
        reviews: of the scan, the latest last.
        limit: characters of each reason.

    Returns:
        Words such as *dismissed by Ann because REASON*, with classes where they were not all decided together; empty
        where nothing stands.
    """
    stands = decided(reviews)
    flagged = [one.label for one in record.classes if one.flagged]
    parts = []
    for (decision, review), pairs in groupby(stands.items(), key=lambda pair: pair[1]):
        labels = [label for label, _ in pairs]
        which = "" if labels == flagged == list(stands) else f"class {', '.join(map(str, labels))} "
        parts.append(f"{which}{decision} by {by(review)}{_because(review, limit)}")
    left = sum(label not in stands for label in flagged)
    return "; ".join([*parts, *([f"{count_of(left, 'class')} not decided yet"] if parts and left else [])])


def say_decisions(record: ScanRecord, reviews: Reviews) -> str:
    """Say in a few words what analysts decided about which classes, and who did.

    Args:
        record: the scan.
        reviews: of the scan, the latest last.

    Returns:
        The text; flagged classes without a decision are called open once there is any.
    """
    stands = decided(reviews)
    made = [f"{label} {decision}" for label, (decision, _) in stands.items()]
    if not made:
        return ""
    left = sum(one.flagged and one.label not in stands for one in record.classes)
    more = [f"{len(made) - NAMED} more"] if len(made) > NAMED else []
    who = ", ".join(dict.fromkeys(by(review) for _, review in stands.values()))
    return ", ".join([*made[:NAMED], *more, *([f"{left} open"] if left else [])]) + f" by {who}"


def by(review: Review) -> str:
    """Name the author of a review."""
    return printable(review.author, AUTHOR) or UNNAMED


def when(review: Review) -> str:
    """Say when a review was written, in UTC to the minute; empty where that is not known."""
    return f"{minute(review.created)} UTC" if review.created else ""


def _because(review: Review, limit: int) -> str:
    reason = printable(" ".join(review.note.split()), limit).removesuffix(".")
    return f" because {reason}" if reason else ""
