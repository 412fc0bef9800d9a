"""The verdict in one sentence with one number."""

import pytest

from aegis.core.types import Applicability
from aegis.records.headline import headline
from tests.report.made import made, with_record


@pytest.mark.parametrize(
    ("works", "sentence"),
    [
        ("patch", "A mark of 4 pixels turns 90% of unseen images into bag."),
        ("perturbation", "A faint change of the whole image (L2 norm 0.52) turns 90% of unseen images into bag."),
        ("source-specific", "A mark of 4 pixels turns 90% of unseen images of coat into bag."),
        ("all-to-all", "A mark of 4 pixels turns 90% of unseen images into another class."),
    ],
)
def test_a_trigger_is_said_by_its_kind(works, sentence):
    assert headline(made(works=works).record) == sentence


def test_the_number_is_that_of_the_part_that_is_shown():
    scan = made()
    best = scan.record.classes[2].triggers[0].model_copy(update={"pixels": 1, "smallest_rate": 0.75, "where": (0,)})
    found = scan.record.classes[2].model_copy(update={"triggers": (best, *scan.record.classes[2].triggers[1:])})
    classes = (*scan.record.classes[:2], found, scan.record.classes[3])
    assert (
        headline(with_record(scan, classes=classes).record) == "A mark of 1 pixel turns 75% of unseen images into bag."
    )


def test_without_a_flag_the_strongest_candidate_or_the_reason_is_said():
    clean = made(rates=(0.1, 0.2, 0.15, 0.05)).record
    assert headline(clean) == "No trigger was found: the strongest candidate turns 20% of unseen images into shoe."
    weak = made(measured=Applicability(0.3, (0.5, 1.0), (0.3, 0.1))).record
    assert headline(weak).startswith("Its accuracy on these images is 30.0%")
    counted = made(kind="paper").record
    assert counted.flagged_classes
    assert headline(counted) == counted.sentence.removeprefix("Infected: ").capitalize()[:1] + counted.sentence[11:]
    assert headline(counted.model_copy(update={"classes": ()}))
