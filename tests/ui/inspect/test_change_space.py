"""How alike changes are, in words."""

import pytest

from aegis.ui.inspect.change_space import Likeness


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ((0.2, 0.35, 0.25), "the highest of 4 classes (others: 0.20 to 0.35)"),
        ((0.7, 0.3), "rank 2 of 3 classes (others: 0.30 to 0.70)"),
        ((0.7, 0.8, 0.3), "rank 3 of 4 classes"),
        ((0.4,), "the highest of 2 classes (others: 0.40)"),
        ((), "Coherence of the changes: 0.56**."),
    ],
)
def test_the_place_among_the_classes_is_said(others, words):
    assert words in Likeness(0.56, others).say(is_patch=False)


def test_a_class_that_was_flagged_for_a_patch_is_not_argued_away():
    assert "hardly shows in it" in Likeness(0.39, (0.5,)).say(is_patch=True)
    assert "hardly shows" not in Likeness(0.39, (0.5,)).say(is_patch=False)
