import subprocess
import sys

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data import DEFAULT_SOURCE, load_dataset

from .conftest import columns, columns_like


def test_an_npz_is_read_with_its_class_names_by_a_path_as_text_and_with_a_tilde(save, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    path = save(class_names=np.array(["ant", "bee", "cat"]))
    data = load_dataset(path)
    assert (data.class_names, data.shape) == (("ant", "bee", "cat"), (1, 6, 6))
    assert [load_dataset(said).digest for said in (str(path), "~/data.npz")] == [data.digest] * 2


def test_a_folder_is_read_at_its_own_size_and_at_another(folder):
    assert load_dataset(folder).shape == (1, 6, 6)
    assert load_dataset(folder, size=12).shape == (1, 12, 12)


def test_full_data_and_its_sample_which_is_the_default_are_told_apart(monkeypatch, tmp_path):
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    np.savez(tmp_path / "fashion_mnist.npz", **columns_like("fashion_mnist"))
    assert len(load_dataset("fashion_mnist").train) == 20
    data = load_dataset()
    assert (data.name, len(data.train)) == (DEFAULT_SOURCE, 5000)


def test_a_name_comes_before_a_file_of_that_name(folder, monkeypatch, tmp_path):
    folder.rename(tmp_path / "samples:mnist")
    monkeypatch.chdir(tmp_path)
    assert len(load_dataset("samples:mnist").train) == 5000
    assert len(load_dataset("./samples:mnist").train) == 16


ABSENT = "neither a known name nor there"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("minst", ABSENT),
        ("samples:flowers", ABSENT),
        ("", ABSENT),
        ("no/such/file.npz", ABSENT),
        ("~nobody-of-this-name/x.npz", "home directory"),
        ("x" * 1000, "File name too long"),
    ],
)
def test_an_unknown_name_or_path_is_refused_with_the_choices(source, reason):
    with pytest.raises(DataError, match=rf"fashion_mnist.*NPZ file or a folder.*{source}.*{reason}"):
        load_dataset(source)


# Stored results are found by these.
DIGESTS = {
    "samples:mnist": "642dbf9947f6f26e2f6fac341a764f3b58711be6dfdb4b01324f4a90d17d924c",
    "samples:fashion_mnist": "b25617410d4934c97a69160c2dacd3fe898e90151e79c0dca4e406198d6cb33a",
    "samples:cifar10": "1e5932de9e1e873883ddf89b49ea5eccef2011ca2e661ce5b56fa3c9a0154fb4",
}


@pytest.mark.parametrize("source", DIGESTS)
def test_bundled_samples_keep_their_digests_and_nothing_is_told_of_them(source):
    told = []
    assert load_dataset(source, tell=told.append).digest == DIGESTS[source]
    assert told == []


def test_size_and_channels_are_converted_whatever_the_source(save, folder):
    assert load_dataset("samples:mnist", size=32, channels=3).shape == (3, 32, 32)
    assert load_dataset(save(), size=8).shape == (1, 8, 8)
    assert load_dataset(folder, size=8, channels=3).shape == (3, 8, 8)


def test_what_was_read_otherwise_than_written_is_told(save):
    told = []
    raw = columns()
    onehot = np.eye(3)[raw["y_train"]]
    path = save(x_train=raw["x_train"].astype(np.int64), y_train=onehot, x_test=None, y_test=None)
    data = load_dataset(path, tell=told.append)
    assert (len(data.train), len(data.test)) == (9, 3)
    assert [sentence.split()[0] for sentence in told] == ["Every", "Labels", "Pixels"]


def test_reading_imports_no_torch(folder):
    code = f"import sys; from aegis.data import *; [load_dataset(s) for s in ('samples:mnist', {str(folder)!r})]"
    command = [sys.executable, "-c", code + "; sys.exit('torch' in sys.modules or 'torchvision' in sys.modules)"]
    assert subprocess.run(command, check=False).returncode == 0
