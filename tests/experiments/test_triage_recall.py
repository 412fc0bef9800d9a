"""At which rank targets come, on measurements whose order is known."""

import pytest

from aegis.experiments.triage_recall import place, recalls
from aegis.models.card import Planted
from aegis.records.record import ModelRecord, ScanRecord

from .cases import suspect


def scan(radii, areas):
    """A scan that measured these sizes of all classes."""
    model = ModelRecord.model_construct(universal_radii=radii, universal_areas=areas)
    return ScanRecord.model_construct(model=model)


NORMS, AREAS = (2.0, 1.9, 2.1, 1.5, 2.2), (0.2, 0.1, 0.3, 0.02, 0.2)


def test_the_target_is_placed_by_each_number():
    found = place(suspect(lift=0.9), scan(NORMS, AREAS), {"estimate": (1.0, 0.2, 0.5, 0.5, 2.0)})
    # Of equal classes the target comes last.
    assert found.ranks == {"norm": 1, "area": 1, "the smaller one": 1, "estimate": 3}
    assert (found.made_for, found.classes) == ("every class", 5)
    weak = place(suspect(lift=0.9), scan((2.0, 1.0, 2.1, 2.3, 2.2), AREAS))
    assert weak.ranks == {"norm": 5, "area": 1, "the smaller one": 1}


def test_of_two_targets_the_better_one_counts_and_one_class_is_told_apart():
    two = (Planted(kind="localised", target=4), Planted(kind="localised", target=1))
    found = place(suspect(lift=0.9, triggers=two, attack_success_lift_2=0.9), scan(NORMS, AREAS))
    assert found.ranks["norm"] == 2
    alone = place(suspect(lift=0.9, triggers=(Planted(kind="localised", target=3, source=1),)), scan(NORMS, AREAS))
    assert alone.made_for == "one class"


@pytest.mark.parametrize(
    "known",
    [
        suspect(),
        suspect(lift=0.1),
        suspect(lift=0.9, group="control"),
        suspect(lift=0.9, triggers=(Planted(kind="localised", target=3, all_to_all=True),)),
    ],
)
def test_without_a_working_trigger_into_one_class_there_is_no_rank(known):
    assert place(known, scan(NORMS, AREAS)) is None


def test_recalls_stand_beside_chance():
    first = place(suspect(lift=0.9), scan(NORMS, AREAS))
    third = place(suspect(lift=0.9), scan((1.0, 1.1, 2.0, 1.5, 1.6), AREAS))
    norm, area, smaller, chance = recalls([first, third])
    assert (norm.number, norm.models, norm.mean, norm.worst, norm.top) == ("norm", 2, 2.0, 3, (0.5, 0.5, 1.0))
    assert (area.mean, smaller.mean) == (1.0, 1.0)
    assert (chance.number, chance.mean, chance.worst, chance.top) == ("chance", 3.0, 5, (0.2, 0.4, 0.6))
