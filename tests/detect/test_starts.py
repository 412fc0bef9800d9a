"""Where searches begin: at planted groups of changes, at those of each class, and at noise on every part."""

import numpy as np
import pytest

from aegis.detect.starts import cluster_starts, noise_starts, source_starts


def planted():
    """Seeds, and one budget in which eight of them grew white in one place and twelve grew black in another."""
    seeds = np.full((20, 1, 12, 12), 0.5, np.float32)
    translated = np.full((1, 20, 1, 12, 12), 128, np.uint8)
    translated[0, :8, 0, 2, 2] = 255
    translated[0, 8:, 0, 9, 9] = 0
    return seeds, translated


def test_starts_are_the_planted_groups_of_changes():
    starts = cluster_starts(*planted(), 2, np.random.default_rng(0))
    where = {tuple(np.argwhere(np.abs(s.change[0]) > 0.4).ravel().tolist()) for s in starts}
    assert where == {(2, 2), (9, 9)}
    assert [s.name for s in starts] == ["budget 1, change cluster 1", "budget 1, change cluster 2"]
    for start in starts:
        np.testing.assert_allclose(start.image - 0.5, start.change, atol=1e-6)

    # Every budget has its groups, and no more than there are.
    seeds, translated = planted()
    both = np.concatenate([translated, np.full_like(translated, 200)])
    names = [start.name for start in cluster_starts(seeds, both, 2, np.random.default_rng(0))]
    assert names == ["budget 1, change cluster 1", "budget 1, change cluster 2", "budget 2, change cluster 1"]


@pytest.mark.parametrize(("shape", "tiles"), [((1, 12, 12), 3), ((3, 7, 11), 3), ((1, 5, 4), 1), ((1, 28, 28), 5)])
def test_noise_covers_every_pixel_exactly_once(shape, tiles):
    starts = noise_starts(shape, tiles, np.random.default_rng(0))
    assert len(starts) == len({start.name for start in starts}) == tiles**2
    np.testing.assert_array_equal(sum(start.change for start in starts), np.ones(shape))
    for start in starts:
        assert 0 <= start.image.min() < start.image.max() <= 1

    for start in starts:
        rows, columns = (np.flatnonzero(start.change[0].any(axis=axis)) for axis in (1, 0))
        assert start.name == f"noise in rows {rows[0]} to {rows[-1]}, columns {columns[0]} to {columns[-1]}"


def test_noise_differs_from_part_to_part_and_comes_again_from_the_same_seed():
    first, again = (noise_starts((1, 6, 6), 2, np.random.default_rng(3)) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
    assert not np.array_equal(first[0].image, first[1].image)


def test_each_source_class_has_its_own_change_at_every_budget():
    seeds, translated = planted()
    sources = np.array([4] * 8 + [1] * 12)
    found = source_starts(seeds, sources, np.concatenate([translated, np.full_like(translated, 255)]))
    assert list(found) == [1, 4]
    for k, where, change in ((4, (0, 2, 2), 0.5), (1, (0, 9, 9), -0.5)):
        first, second = found[k]
        assert first.change[where] == pytest.approx(change)
        # Elsewhere a picture's grey is half a level off that of the seeds.
        assert np.abs(np.delete(first.change, np.ravel_multi_index(where, first.change.shape))).max() < 1 / 255
        np.testing.assert_allclose(first.image - 0.5, first.change, atol=1e-6)
        assert (second.image == 1).all()
        assert [start.name for start in found[k]] == [f"budget {i}, change of class {k}" for i in (1, 2)]
