import subprocess
import sys
from dataclasses import replace

import pytest

from aegis.core.files import left_behind, read_text_bytes, whole_file, write_text
from aegis.core.process import this_process


def test_the_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "file"
    with whole_file(path) as file:
        file.write(b"content")
        assert not path.exists()
    assert path.read_bytes() == b"content"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def fail(error):
    """Half of the content, and then an error."""
    yield b"half of the n"
    raise error


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(error), whole_file(path) as file:
        file.writelines(fail(error))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def left_by(process, path):
    """A temporary file as a process of this identity would leave it."""
    left = path.with_name(f"{path.name}.{process.pid}-{process.start}-7.partial")
    left.write_bytes(b"half")
    return left


def test_what_killed_processes_left_goes_with_the_next_attempt(tmp_path):
    path = tmp_path / "file"
    here = this_process()
    dead, alive = left_by(replace(here, start=1), path), left_by(here, path)
    other, state = left_by(replace(here, start=1), tmp_path / "another"), tmp_path / "file.partial"
    state.write_bytes(b"of a training")
    assert left_behind(tmp_path) == [other, dead]
    assert left_behind(tmp_path, "file") == [dead]
    with whole_file(path) as file:
        file.write(b"whole")
    assert sorted(tmp_path.iterdir()) == sorted([path, alive, other, state])


def test_names_may_have_special_characters_and_be_those_of_an_older_version(tmp_path):
    left = left_by(replace(this_process(), start=1), tmp_path / "[a]*")
    other = left_by(replace(this_process(), start=1), tmp_path / "a")
    assert left_behind(tmp_path, "[a]*") == [left]
    assert left_behind(tmp_path / "nowhere") == []
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    old, alive = tmp_path / f"file.{ended.pid}-7.partial", tmp_path / f"file.{this_process().pid}-7.partial"
    for path in (old, alive):
        path.write_bytes(b"half")
    assert left_behind(tmp_path) == sorted([left, other, old])


def test_a_text_whose_name_ends_with_gz_is_compressed_the_same_each_time(tmp_path):
    path, text = tmp_path / "a.json.gz", "å" * 5000
    write_text(path, text)
    first = path.read_bytes()
    write_text(path, text)
    assert path.read_bytes() == first
    assert len(first) < 200
    assert read_text_bytes(path).decode() == text


def test_a_compressed_text_that_is_damaged_or_too_large_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "a.json.gz"
    write_text(path, "a" * 100)
    for content in (b"text", path.read_bytes()[:-9]):
        (tmp_path / "b.gz").write_bytes(content)
        with pytest.raises(OSError):  # noqa: PT011
            read_text_bytes(tmp_path / "b.gz")
    monkeypatch.setattr("aegis.core.files.MAX_TEXT", 99)
    with pytest.raises(OSError, match="more than 0 MiB"):
        read_text_bytes(path)
