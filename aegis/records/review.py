"""The analyst's note and decisions on a scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import TypeAdapter, ValidationError

Decision = Literal["confirmed", "dismissed"]


@dataclass(frozen=True)
class Review:
    """The analyst's comments on a scan; the recorded verdict stays as it is.

    Args:
        note: free text; its line breaks are kept.
        decisions: on classes, by label; classes that are left out are open.
    """

    note: str = ""
    decisions: Mapping[int, Decision] = field(default_factory=dict)

    def to_json(self) -> str:
        """Write the review as JSON.

        Returns:
            The text.
        """
        return _ADAPTER.dump_json(self).decode()


def merged(before: Review, mine: Review, theirs: Review) -> Review:
    """Merge two reviews of one scan: theirs, with my changes.

    Args:
        before: the review from which I started.
        mine: the review after my changes.
        theirs: the review that somebody else saved meanwhile.

    Returns:
        The merged review.
    """
    labels = before.decisions.keys() | mine.decisions.keys()
    changed = {label for label in labels if before.decisions.get(label) != mine.decisions.get(label)}
    decisions = {label: decision for label, decision in theirs.decisions.items() if label not in changed}
    decisions |= {label: decision for label, decision in mine.decisions.items() if label in changed}
    return Review(theirs.note if mine.note == before.note else mine.note, decisions)


_ADAPTER = TypeAdapter(Review)
NO_REVIEW = Review()


def read_review(text: bytes) -> Review | None:
    """Read a review from JSON.

    Args:
        text: the JSON text.

    Returns:
        The review; None if the text is none.
    """
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError:
        return None
