"""Lists of suspects: what is read, and what is refused with its line."""

import json
from pathlib import Path

import pytest

from aegis.core.errors import ConfigError
from aegis.services import suspect_list
from aegis.services.suspect_list import Listed, read_suspects


def written(folder, name, text):
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_a_folder_has_the_checkpoints_of_all_its_folders_and_nothing_else(tmp_path):
    for name in ("a.safetensors", "deep/er/B.PT", ".hidden/c.pt", "notes.txt", "deep/.d.pt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.pt").mkdir()
    assert read_suspects(tmp_path) == (
        [Listed(checkpoint=tmp_path / "a.safetensors"), Listed(checkpoint=tmp_path / "deep/er/B.PT")],
        0,
    )


def test_a_table_and_json_lines_say_the_same(tmp_path):
    (tmp_path / "photos").mkdir()
    table = written(
        tmp_path,
        "list.csv",
        '\ufeffcheckpoint,architecture,data,seed,mean\r\na.pt,aegis:cnn16,photos,3,"0.5,0.4,0.3"\r\n/b.pt,,mnist,,\r\n'
        "/b.pt,,mnist,,\r\n",
    )
    first = Listed(
        checkpoint=tmp_path / "a.pt",
        architecture="aegis:cnn16",
        data=str(tmp_path / "photos"),
        seed=3,
        mean="0.5,0.4,0.3",
    )
    expected = [first, Listed(checkpoint=Path("/b.pt"), data="mnist")]
    assert read_suspects(table) == (expected, 1)
    rows = [{"checkpoint": "a.pt", "architecture": "aegis:cnn16", "data": "photos", "seed": 3, "mean": "0.5,0.4,0.3"}]
    rows.append({"checkpoint": "/b.pt", "data": "mnist"})
    lines = written(tmp_path, "list.jsonl", "\n\n".join(map(json.dumps, rows)) + "\n")
    assert read_suspects(lines) == (expected, 0)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "checkpoint,colour\na.pt,red\n", ("line 2", "colour")),
        ("a.csv", "architecture\naegis:cnn16\n", ("line 2", "checkpoint")),
        ("a.csv", "checkpoint\na.pt,b.pt\n", ("line 2",)),
        ("a.csv", "checkpoint,seed\na.pt,-1\n", ("line 2", "seed")),
        ("a.csv", 'checkpoint\n"a.pt\n', ("a table with commas",)),
        ("a.csv", "checkpoint\n", ("no row",)),
        ("a.csv", "", ("no row",)),
        ("a.jsonl", '{"checkpoint": "a.pt"}\n{"checkpoint": 1}\n', ("line 2", "checkpoint")),
        ("a.jsonl", "[1]\n", ("line 1",)),
        ("a.jsonl", "checkpoint: a.pt\n", ("JSON at line 1", "checkpoint: a.pt")),
        ("a.jsonl", "[" * 100_000, ("JSON at line 1",)),
        ("a.txt", "a.pt\n", ("neither", ".csv or .jsonl")),
    ],
)
def test_what_is_no_list(tmp_path, name, text, words):
    with pytest.raises(ConfigError) as error:
        read_suspects(written(tmp_path, name, text))
    assert [word for word in words if word not in str(error.value)] == []


def test_neither_folder_nor_file_nor_text(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="does not exist"):
        read_suspects(tmp_path / "none.csv")
    with pytest.raises(ConfigError, match="no file that ends in"):
        read_suspects(tmp_path)
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_suspects(path)
    table = written(tmp_path, "long.csv", "checkpoint\na\nb\nc\n")
    monkeypatch.setattr(suspect_list, "MAX_ROWS", 2)
    with pytest.raises(ConfigError, match="at most 2 suspects"):
        read_suspects(table)
    monkeypatch.setattr(suspect_list, "MAX_BYTES", 3)
    with pytest.raises(ConfigError, match="a larger one"):
        read_suspects(table)
