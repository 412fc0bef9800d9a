"""The verdict in one sentence with one number, for readers who read no further."""

from __future__ import annotations

from aegis.core.text import count_of, printable
from aegis.records.ranking import ranked, strongest_candidate
from aegis.records.record import ClassRecord, ScanRecord, TriggerRecord
from aegis.records.wording import share_of

# Characters of a class's name.
NAME = 40


def headline(record: ScanRecord) -> str:
    """Say what the strongest trigger does, or why there is no verdict.

    Args:
        record: the scan.

    Returns:
        A sentence such as *A mark of 8 pixels turns 94% of unseen images into Sneaker.*
    """
    said, _, reason = record.sentence.partition(": ")
    found = next(iter(ranked(record)), None)
    position = None if found is None else strongest_candidate(found)
    if record.verdict == "inconclusive" or found is None or position is None:
        told = reason if said.lower() == record.verdict else record.sentence
        return f"{told[:1].upper()}{told[1:]}"
    names, best = record.data.class_names, found.triggers[position]
    if found.flagged:
        return f"{_what(best)} turns {_did(best, found, names)}."
    return f"No trigger was found: the strongest candidate turns {_did(best, found, names)}."


def shown_rate(best: TriggerRecord) -> float:
    """Give the attack success rate of a trigger as pictures show it: of its smallest part, where there is one.

    Args:
        best: the candidate.

    Returns:
        The share of held-out images, in [0, 1].
    """
    return best.flip_rate if best.smallest_rate is None else best.smallest_rate


def name_of(label: int, name: str) -> str:
    """Name a class by its name alone, which says more than its number.

    Args:
        label: the class.
        name: its name, from outside.

    Returns:
        The name; *class 7* where that is but the number.
    """
    return f"class {name}" if name == str(label) else printable(name, NAME)


def _what(best: TriggerRecord) -> str:
    if best.family == "perturbation":
        return f"A faint change of the whole image (L2 norm {best.l2_norm:.2f})"
    return f"A mark of {count_of(best.pixels, 'pixel')}"


def _did(best: TriggerRecord, found: ClassRecord, names: tuple[str, ...]) -> str:
    share = f"{share_of(shown_rate(best))} unseen images"
    if best.source is not None:
        share = f"{share} of {name_of(best.source, names[best.source])}"
    return f"{share} into {'another class' if best.destinations is not None else name_of(found.label, found.name)}"
