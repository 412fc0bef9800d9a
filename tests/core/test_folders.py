"""Where results and decoded data sets are kept."""

from pathlib import Path

import pytest

from aegis.core.errors import StoreError
from aegis.core.folders import default_folder
from aegis.data.cache import cache_folder
from aegis.store.store import Store


def test_where_results_are_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "here"))
    assert Store().folder == default_folder() == tmp_path / "here"
    monkeypatch.delenv("AEGIS_STORE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "aegis"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == Path(tmp_path, ".cache", "aegis")


def test_a_tilde_is_the_users_home_for_results_and_decoded_data_alike(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AEGIS_STORE", "~/here")
    assert default_folder() == tmp_path / "here"
    assert cache_folder() == tmp_path / "here" / "data"


def test_the_home_of_nobody_known_is_a_message(monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", "~nobody-of-this-name/store")
    with pytest.raises(StoreError, match=r"got ~nobody-of-this-name/store .*Set AEGIS_STORE"):
        Store()
