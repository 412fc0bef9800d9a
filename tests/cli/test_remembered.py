"""Long work of commands is in the store while it lasts, and needs no store to be done."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from aegis.cli.remembered import remembered
from aegis.core.errors import DataError
from aegis.store.store import Store

from .conftest import run


@pytest.fixture(autouse=True)
def _own_store(monkeypatch, tmp_path):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))


def test_work_is_there_while_it_lasts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["/usr/bin/aegis", "report", "a b.json", "--pdf", "out.pdf"])
    with remembered("report", Path("out.pdf")):
        (work,) = Store().running()
    assert (work.kind, work.what) == ("report", "out.pdf")
    assert work.resume_hint == f"cd {shlex.quote(str(tmp_path))} && aegis report 'a b.json' --pdf out.pdf"
    assert Store().running() == Store().interrupted() == []
    with remembered("report", tmp_path / "out.pdf"):
        # However the file is named, it is the same work.
        assert Store().running()[0].key == work.key
    # A folder whose name is no text stops nothing.
    with remembered("training", tmp_path / os.fsdecode(b"caf\xe9") / "out.safetensors"):
        assert Store().running()[0].what.endswith(r"caf\udce9/out.safetensors")


def test_what_fails_in_it_is_told_and_over_with_or_without_a_store(tmp_path, monkeypatch):
    with pytest.raises(DataError), remembered("training", Path("out.safetensors")):
        raise DataError("a", "b", "c")
    assert Store().running() == []
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "file" / "store"))
    with pytest.raises(DataError), remembered("training", Path("out.safetensors")):
        raise DataError("a", "b", "c")


def test_commands_say_what_they_do(monkeypatch, tmp_path, images):
    seen = []

    def look(*_, **__):
        seen.extend((work.kind, work.what) for work in Store().running())
        raise DataError("nothing", "a test", "Go on.")

    monkeypatch.setattr("aegis.lab.suspect.make_suspect", look)
    out = tmp_path / "out.safetensors"
    assert run("train", out, "--data", images).code == 2
    assert seen == [("training", str(out))]
    monkeypatch.setattr("aegis.lab.bank.train.BankBuilder.make_all", look)
    assert run("bank", "train", "--only", "mnist_clean", "--results", tmp_path).code == 2
    assert seen[1:] == [("bank training", str(tmp_path))]
