"""Principal components against scikit-learn's, and the way from pixels to pictures and back."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from aegis.detect.features import principal_components


@pytest.mark.parametrize(("rows", "columns", "kept"), [(20, 50, 6), (50, 8, 8), (12, 100, 11)])
def test_scores_are_those_of_scikit_learn_up_to_sign(rows, columns, kept):
    x = np.random.default_rng(rows).normal(3, np.linspace(1, 4, columns), (rows, columns)).astype(np.float32)
    ours = principal_components(torch.from_numpy(x), kept)
    theirs = PCA(kept, svd_solver="full").fit_transform(x.astype(np.float64))
    signs = np.sign((ours * theirs).sum(axis=0))
    assert ours.shape == (rows, kept)
    np.testing.assert_allclose(ours * signs, theirs, atol=1e-3)


def test_no_more_components_than_rows_or_columns():
    assert principal_components(torch.rand(5, 30), 150).shape == (5, 5)
    assert principal_components(torch.rand(30, 4), 150).shape == (30, 4)


def test_equal_rows_have_no_spread_and_scores_do_not_depend_on_where_rows_lie():
    assert np.abs(principal_components(torch.full((6, 9), 0.3), 3)).max() < 1e-4
    x = torch.rand(15, 40, generator=torch.Generator().manual_seed(0))
    moved = principal_components(x + 2, 4)
    np.testing.assert_allclose(moved, principal_components(x, 4), atol=1e-3)
