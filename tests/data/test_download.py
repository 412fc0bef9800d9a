import re
import socket
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data import DATASETS
from aegis.data.cache import cache_folder
from aegis.data.download import brief, download


@pytest.fixture
def torchvision(monkeypatch):
    """Stands in for torchvision, which takes seconds to import; its ``reader`` is what a test wants it to do."""
    package, datasets = types.ModuleType("torchvision"), types.ModuleType("torchvision.datasets")
    package.datasets = datasets
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.datasets", datasets)

    def stand_in(reader):
        for info in DATASETS.values():
            setattr(datasets, info.torchvision, reader)

    return stand_in


def test_both_splits_are_downloaded_and_the_files_not_kept(torchvision):
    def reader(root, *, train, download):
        assert download
        Path(root, "archive").write_bytes(b"raw")
        return types.SimpleNamespace(data=np.full((2, 6, 6), train, np.uint8), targets=[0, 1])

    torchvision(reader)
    for name in DATASETS:
        arrays = download(name)
        assert (arrays.x_train.max(), arrays.x_test.max()) == (1, 0)
        assert arrays.y_train.tolist() == [0, 1]
    assert list(cache_folder().iterdir()) == []


@pytest.mark.parametrize("error", [RuntimeError("Error downloading"), OSError(28, "No space left on device")])
def test_without_a_network_the_message_names_the_other_ways(torchvision, error):
    def reader(root, **_):
        assert socket.getdefaulttimeout() == 30
        raise error

    torchvision(reader)
    with pytest.raises(
        DataError, match=rf"download CIFAR-10.*{re.escape(brief(error))}.*AEGIS_DATA.*cifar10\.npz.*samples:cifar10"
    ):
        download("cifar10")
    assert list(cache_folder().iterdir()) == []
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("Error downloading\nTried a mirror, got:\n<no route>\n"), "<no route>"),
        (AssertionError(), "AssertionError"),
        (OSError("gone"), "gone"),
    ],
)
def test_of_another_librarys_error_one_line_is_shown(error, line):
    assert brief(error) == line
