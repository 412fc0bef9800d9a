"""Scans of up to thirty classes and 64 pixels are left as they are; what larger ones cost is bounded."""

import math

import pytest

from aegis.detect.bounds import at_once, fewer, held_out_count, is_large, measured_classes

USUAL = (3, 64, 64)
LARGE = (3, 224, 224)


def test_usual_scans_are_not_bounded():
    assert not is_large(30, USUAL)
    assert fewer(300, 60, USUAL) == 300
    assert measured_classes(30, LARGE) == list(range(30))
    # The most that the presets ask for: held-out images, and attempts of the source-specific search at three seeds.
    assert held_out_count(50, 30, USUAL) == 50
    assert at_once(3, USUAL) >= 29 * (2 + 16)


@pytest.mark.parametrize(("classes", "shape"), [(31, USUAL), (2, (1, 65, 64))])
def test_more_classes_or_pixels_make_a_scan_large(classes, shape):
    assert is_large(classes, shape)


@pytest.mark.parametrize("shape", [USUAL, (3, 96, 96), LARGE])
def test_of_many_classes_some_are_measured_at_even_distances(shape):
    chosen = measured_classes(1000, shape)
    assert 5 <= len(chosen) <= 30
    gaps = {b - a for a, b in zip(chosen, chosen[1:])}
    assert max(gaps) - min(gaps) <= 1
    assert chosen[-1] + max(gaps) >= 1000


def test_memory_does_not_grow_with_the_images():
    for shape, values in ((USUAL, 20_000_000), ((3, 96, 96), 8_000_000), (LARGE, 8_000_000)):
        assert at_once(8, shape) * 8 * math.prod(shape) <= values
        assert 29 * held_out_count(50, 29, shape) * math.prod(shape) <= 2**25
    assert fewer(300, 60, LARGE) == 60
    assert held_out_count(50, 10**6, LARGE) == at_once(10**6, LARGE) == 1
