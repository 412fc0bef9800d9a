"""Found patches beside the triggers that were planted."""

import dataclasses

import numpy as np
import pytest

from aegis.experiments.localisation import located
from aegis.lab.triggers import TRIGGERS, TriggerSpec
from aegis.models.card import Planted
from aegis.records.record import ClassRecord, DataRecord, ScanRecord, TriggerRecord

from .cases import case, suspect

SHAPE = (1, 28, 28)


def planted(kind="localised", **options):
    spec = TriggerSpec(kind=kind, **options)
    goal = dataclasses.asdict(spec.goal)
    return Planted(kind=kind, **goal, options=spec.options)


def patch(rows, columns, score=1.0, family="patch", source=None):
    where = tuple((np.array(rows)[:, None] * 28 + np.array(columns)).ravel().tolist())
    return TriggerRecord.model_construct(
        family=family, source=source, pixels=len(where), flip_rate=score, score=score, where=where or None
    )


def scan_with(found, seed=4, flagged=None):
    """A scan with these triggers, by class."""
    classes = tuple(ClassRecord.model_construct(label=label, triggers=tuple(t)) for label, t in found.items())
    data = DataRecord.model_construct(shape=SHAPE, class_names=tuple("abcdefghij"))
    flagged = tuple(found) if flagged is None else flagged
    config = {"gather": {"seed": seed}}
    return ScanRecord.model_construct(data=data, classes=classes, config=config, flagged_classes=flagged)


def known(*triggers):
    rates = {f"attack_success_other_classes{f'_{i + 1}' if i else ''}": 0.9 - i / 10 for i in range(len(triggers))}
    return suspect("a", triggers=triggers, **rates)


def test_a_patch_that_covers_two_thirds_of_a_square():
    # The square has rows and columns 24 to 26; six of its nine pixels are found, and two others.
    found = patch([24, 25], [23, 24, 25, 26])
    (one,) = located(case(known(planted()), scan_with({7: [found]})))
    assert (one.suspect, one.seed, one.trigger, one.target, one.pixels, one.success) == ("a", 4, "localised", 7, 9, 0.9)
    assert one.shared == 6
    assert one.recall == pytest.approx(6 / 9)
    assert one.overlap == pytest.approx(6 / 11)


def test_only_the_best_patch_for_the_target_counts():
    scan = scan_with({3: [patch([24, 25, 26], [24, 25, 26])], 7: [patch([0], [0], 0.6), patch([24], [24], 0.8)]})
    (one,) = located(case(known(planted()), scan))
    assert one.found.score == 0.8
    assert one.shared == 1


def test_only_patches_of_flagged_classes_for_the_same_images_count():
    right = patch([24, 25, 26], [24, 25, 26], family="source-specific", source=2)
    for found, flagged, trigger in (
        (right, (3,), planted(source=2)),
        (patch([24], [24], family="source-specific", source=5), (7,), planted(source=2)),
        (right, (7,), planted()),
        (patch([24], [24], family="all-to-all"), (7,), planted()),
    ):
        (one,) = located(case(known(trigger), scan_with({7: [found]}, flagged=flagged)))
        assert one.found is None
    (one,) = located(case(known(planted(source=2)), scan_with({7: [right]})))
    assert one.overlap == 1

    # Where no patch works, nothing is located.
    (one,) = located(case(known(planted()), scan_with({7: [patch([], [], 0.2)]})))
    assert (one.found, one.recall, one.overlap, one.shared) == (None, None, None, 0)


def test_every_trigger_and_every_scan_is_told_of():
    two = known(planted(target=3), planted("checkerboard", target=8, row=1, column=12))
    found = list(located(case(two, scan_with({}), scan_with({8: [patch([1, 2, 3, 4], [12, 13, 14, 15])]}, seed=5))))
    assert [(one.seed, one.target) for one in found] == [(4, 3), (4, 8), (5, 3), (5, 8)]
    assert [one.success for one in found] == [0.9, 0.8, 0.9, 0.8]
    assert [one.overlap for one in found] == [None, None, None, 1]


def test_one_that_leads_to_every_class_is_looked_for_in_all():
    everyone = known(planted(all_to_all=True, size=4, row=1, column=1))
    (one,) = located(case(everyone, scan_with({5: [patch([1, 2], [1, 2], family="all-to-all")]})))
    assert (one.target, one.pixels, one.shared) == (None, 16, 4)


@pytest.mark.parametrize("kind", [kind for kind, known in TRIGGERS.items() if not known.replaces])
def test_what_replaces_nothing_has_no_place(kind):
    assert list(located(case(known(planted(kind)), scan_with({7: [patch([1], [1])]})))) == []
