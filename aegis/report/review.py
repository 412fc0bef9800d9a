"""What the analyst adds to a scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

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


NO_REVIEW = Review()
