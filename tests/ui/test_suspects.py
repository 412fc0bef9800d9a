"""What Home can say about a checkpoint, and that nothing in a folder makes it fail."""

import hashlib
import os
import shlex

import pytest
from safetensors.numpy import save_file

from aegis.models.intake.formats import HEADER_LIMIT
from aegis.ui.suspects import BUNDLED, ROOT, command_for, examine, list_suspects, neutral_names, suspects_folder
from tests.suspects import tensors, write_cut, write_infected, write_suspect


def test_a_suspect_says_what_it_is(tmp_path):
    path = write_infected(tmp_path)
    suspect = examine(path)
    assert suspect.problem == ""
    assert suspect.identity is not None
    assert (suspect.identity.architecture, suspect.identity.class_names) == ("aegis:cnn16", ("Shirt", "Bag"))
    assert suspect.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert suspect.size == len(path.read_bytes())
    # The truth stays in the file.
    assert b"vermilion" in path.read_bytes()
    assert "vermilion" not in repr(suspect)


def test_a_checkpoint_without_a_card_is_no_problem(tmp_path):
    save_file(tensors(), tmp_path / "plain.safetensors")
    suspect = examine(tmp_path / "plain.safetensors")
    assert (suspect.identity, suspect.problem) == (None, "")


def test_names_of_bundled_suspects_say_nothing_of_what_is_in_them(tmp_path):
    own = write_infected(tmp_path)
    paths = [*list_suspects(BUNDLED), own, tmp_path / "gone"]
    names = neutral_names([examine(path) for path in paths])
    assert names[own] == own.name
    assert names[tmp_path / "gone"] == "gone"
    bundled = [names[path] for path in paths[:-2]]
    assert len(set(bundled)) == len(bundled)
    assert not [name for path, name in names.items() if path.parent == BUNDLED and path.stem.split("_")[-1] in name]
    # Neither do their letters, which do not follow the order of the files.
    assert bundled != sorted(bundled)


BROKEN = {
    "text": lambda path: path.write_text("not tensors"),
    "nothing": lambda path: path.touch(),
    "gone": lambda path: None,
    "folder": lambda path: path.mkdir(),
    "pipe": os.mkfifo,
    "link to nothing": lambda path: path.symlink_to("gone"),
    "wrong card": lambda path: save_file(tensors(), path, {"aegis.identity": '{"architecture": 3}'}),
    "cut": lambda path: write_cut(path.parent).rename(path),
}


@pytest.mark.parametrize("make", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_says_so_in_one_message(make, tmp_path):
    path = tmp_path / "broken.safetensors"
    make(path)
    suspect = examine(path)
    assert suspect.identity is None
    assert suspect.problem.startswith("Expected ")
    assert "; got " in suspect.problem
    assert "\n" not in suspect.problem


def test_a_header_without_bounds_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "large.safetensors"
    with path.open("wb") as file:
        file.write((HEADER_LIMIT + 1).to_bytes(8, "little") + b"{")
        file.truncate(HEADER_LIMIT + 100)
    monkeypatch.setattr("aegis.ui.suspects.safe_open", None)
    assert "a header of at most 16 MiB" in examine(path).problem


def test_only_checkpoints_are_listed_and_by_name(tmp_path):
    for name in ("b", "a"):
        write_suspect(tmp_path, name)
    (tmp_path / "notes.txt").touch()
    assert [path.name for path in list_suspects(tmp_path)] == ["a.safetensors", "b.safetensors"]
    assert list_suspects(tmp_path / "missing") == []


def test_the_folder_is_a_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_SUSPECTS", str(tmp_path))
    assert suspects_folder() == tmp_path
    monkeypatch.delenv("AEGIS_SUSPECTS")
    assert suspects_folder() == ROOT / "assets" / "models"


def test_the_command_survives_a_shell_and_is_short_for_what_is_bundled(tmp_path):
    path = write_suspect(tmp_path, "it's $HOME; `x`")
    assert shlex.split(command_for(path)) == ["aegis", "scan", str(path)]
    assert command_for(ROOT / "assets" / "models" / "any.safetensors") == "aegis scan assets/models/any.safetensors"
