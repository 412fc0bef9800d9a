"""What the analyst adds to a scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import TypeAdapter, ValidationError

Decision = Literal["confirmed", "dismissed"]


@dataclass(frozen=True)
class Review:
    """The analyst's say beside the recorded verdict, which it never changes.

    Args:
        note: free text; its line breaks are kept.
        decisions: what was decided about classes, by label; classes that are left out are open.
    """

    note: str = ""
    decisions: Mapping[int, Decision] = field(default_factory=dict)

    def to_json(self) -> str:
        """The review as JSON text."""
        return _ADAPTER.dump_json(self).decode()


def merged(before: Review, mine: Review, theirs: Review) -> Review:
    """Two reviews of one scan as one: theirs, with what I changed.

    Args:
        before: what I had when I began.
        mine: what I made of it.
        theirs: what somebody else made of it meanwhile.
    """
    labels = before.decisions.keys() | mine.decisions.keys()
    changed = {label for label in labels if before.decisions.get(label) != mine.decisions.get(label)}
    decisions = {label: decision for label, decision in theirs.decisions.items() if label not in changed}
    decisions |= {label: decision for label, decision in mine.decisions.items() if label in changed}
    return Review(theirs.note if mine.note == before.note else mine.note, decisions)


_ADAPTER = TypeAdapter(Review)
NO_REVIEW = Review()


def read_review(text: bytes) -> Review | None:
    """A review from its JSON text; None if it is anything else."""
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError:
        return None
