import subprocess
import sys

import numpy as np
import pytest

from aegis.core.errors import DataError
from aegis.data import DATASETS, DEFAULT_SOURCE, load_dataset

from .conftest import columns


def test_nothing_named_gives_the_default_sample():
    assert load_dataset().name == load_dataset(None).name == DEFAULT_SOURCE


def test_an_npz_is_read_with_its_class_names(save):
    data = load_dataset(save(class_names=np.array(["ant", "bee", "cat"])))
    assert data.class_names == ("ant", "bee", "cat")
    assert data.shape == (1, 6, 6)


def test_a_path_is_taken_as_text_and_with_a_tilde(save, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_dataset(str(save())).digest == load_dataset("~/data.npz").digest


def test_a_folder_is_read_at_its_own_size_and_at_another(folder):
    assert load_dataset(folder).shape == (1, 6, 6)
    assert load_dataset(folder, size=12).shape == (1, 12, 12)


@pytest.mark.parametrize("name", DATASETS)
def test_full_data_and_its_sample_are_told_apart(name, monkeypatch, tmp_path, sample_store):
    monkeypatch.setenv("AEGIS_STORE", sample_store)
    channels, *sides = DATASETS[name].shape
    np.savez(tmp_path / f"{name}.npz", **columns(10, 2, (*sides, channels) if channels > 1 else sides))
    monkeypatch.setenv("AEGIS_DATA", str(tmp_path))
    assert len(load_dataset(name).train) == 20
    assert len(load_dataset(f"samples:{name}").train) == 5000


def test_a_name_comes_before_a_file_of_that_name(folder, monkeypatch, tmp_path):
    folder.rename(tmp_path / "samples:mnist")
    monkeypatch.chdir(tmp_path)
    assert len(load_dataset("samples:mnist").train) == 5000
    assert len(load_dataset("./samples:mnist").train) == 16


@pytest.mark.parametrize("source", ["minst", "samples:flowers", "", "no/such/folder", "no/such/file.npz"])
def test_an_unknown_name_or_path_is_refused_with_the_choices(source):
    with pytest.raises(DataError, match=r"fashion_mnist.*NPZ file or a folder"):
        load_dataset(source)


@pytest.mark.parametrize(
    ("source", "reason"), [("~nobody-of-this-name/x.npz", "home directory"), ("x" * 1000, "File name too long")]
)
def test_a_path_that_cannot_even_be_looked_at_is_refused_like_one_that_is_not_there(source, reason):
    with pytest.raises(DataError, match=rf"NPZ file or a folder.*{source}.*{reason}"):
        load_dataset(source)


def test_named_data_sets_are_not_scaled():
    with pytest.raises(DataError, match="only for your own pictures"):
        load_dataset("samples:mnist", size=32)


def test_reading_imports_no_torch():
    code = f"import sys; from aegis.data import *; [load_dataset('samples:' + n) for n in {list(DATASETS)}]"
    command = [sys.executable, "-c", code + "; sys.exit('torch' in sys.modules or 'torchvision' in sys.modules)"]
    assert subprocess.run(command, check=False).returncode == 0
