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


_ADAPTER = TypeAdapter(Review)
NO_REVIEW = Review()


def read_review(text: bytes) -> Review | None:
    """A review from its JSON text; None if it is anything else."""
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError:
        return None
