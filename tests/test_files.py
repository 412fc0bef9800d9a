import pytest

from aegis.files import whole_file


def test_the_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "file"
    with whole_file(path) as file:
        file.write(b"content")
        assert not path.exists()
    assert path.read_bytes() == b"content"
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def _fail_half_way(path, error):
    with whole_file(path) as file:
        file.write(b"half of the n")
        raise error


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(error):
        _fail_half_way(path, error)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
