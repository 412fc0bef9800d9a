"""The toy of the tests of detection, shared in a run, and a linear model whose shortcut is known exactly."""

import pytest
import torch

from aegis.core.runtime import Runtime
from tests.baselines.shortcut import images, model
from tests.detect.conftest import clean, data, infected

__all__ = ["clean", "data", "infected"]


@pytest.fixture(scope="session")
def six():
    return images()


@pytest.fixture(params=[None, 2], ids=["benign", "infected"])
def shortcut(request):
    """The class that the shortcut leads to, or None, and the model."""
    return request.param, model(request.param).frozen(Runtime())


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)
