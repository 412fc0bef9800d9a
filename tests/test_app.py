"""Home, run as Streamlit runs it."""

import ast
import hashlib

import pytest
from streamlit.testing.v1 import AppTest

import aegis
from aegis.data import SOURCES
from tests.layers import ROOT
from tests.suspects import HOSTILE, write_cut, write_hostile, write_infected, write_suspect


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Opens Home over a folder."""
    monkeypatch.setenv("AEGIS_SUSPECTS", str(tmp_path))
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))

    def open_home():
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
        assert not at.exception
        return at

    return open_home


def everything(at):
    """All that is said on the page."""
    parts = [*at.title, *at.header, *at.markdown, *at.text, *at.code, *at.caption]
    return "\n".join(part.value for part in parts)


def python_lines(at):
    """The example, which names a bundled suspect."""
    (source,) = (code.value for code in at.code if code.language == "python")
    return source


def test_without_suspects_it_says_what_to_do(home, tmp_path):
    at = home()
    assert "No suspects here" in everything(at)
    assert str(tmp_path) in [code.value for code in at.code]
    assert "AEGIS_SUSPECTS" in everything(at)


def test_a_suspect_is_a_line(home, tmp_path):
    path = write_infected(tmp_path)
    at = home()
    texts = [text.value for text in at.text]
    for expected in (
        "suspect.safetensors",
        "Jackets and bags",
        "aegis:cnn16",
        "fashion_mnist",
        "28 × 28, grey",
        "2 classes",
    ):
        assert expected in texts
    assert f"source .venv/bin/activate\naegis scan {path}" in [code.value for code in at.code]
    digest = next(text for text in at.text if text.value.endswith("…"))
    assert f"{hashlib.sha256(path.read_bytes()).hexdigest()}" in digest.help
    assert digest.help.startswith(f"SHA-256 {digest.value[:-1]}")


def test_every_suspect_leads_to_its_scan(home, tmp_path):
    write_infected(tmp_path)
    links = [link.proto for link in home().main.get("page_link")]
    assert [(link.page, link.query_string) for link in links] == [("Scan", "suspect=suspect.safetensors")]


def test_without_scans_it_says_where_they_will_be(home):
    assert "None yet" in everything(home())


def test_the_truth_is_not_told(home, tmp_path):
    write_infected(tmp_path)
    at = home()
    said = everything(at).replace(python_lines(at), "")
    for secret in ("localised", "vermilion", "0.125", "append"):
        assert secret not in said


def test_text_from_cards_is_never_parsed(home, tmp_path):
    write_hostile(tmp_path)
    at = home()
    parsed = "\n".join(part.value for part in [*at.markdown, *at.caption, *at.title, *at.header, *at.html])
    helps = "\n".join(text.help or "" for text in at.text)
    for text in (*HOSTILE, "# Title", "<script>"):
        assert text not in helps
        assert text not in parsed


def test_a_broken_file_is_a_message_beside_the_others(home, tmp_path):
    write_cut(tmp_path)
    write_infected(tmp_path)
    at = home()
    assert any(text.value.startswith("Expected a whole safetensors file") for text in at.text)
    assert "Jackets and bags" in everything(at)


def test_many_classes_are_counted_not_listed(home, tmp_path):
    write_suspect(tmp_path, "large", class_names=tuple(f"class {i}" for i in range(1000)), shape=(3, 224, 224))
    said = everything(home())
    assert "1,000 classes" in said
    assert "class 1\n" not in said
    assert "224 × 224, colour" in said


def test_a_changed_file_is_read_again(home, tmp_path):
    write_suspect(tmp_path, "suspect", name="Before")
    at = home()
    assert "Before" in everything(at)
    write_suspect(tmp_path, "suspect", name="Afterwards")
    at.run()
    assert "Afterwards" in everything(at)
    assert "Before" not in everything(at)


def test_a_link_that_leads_nowhere_is_a_message(home, tmp_path):
    (tmp_path / "link.safetensors").symlink_to(tmp_path / "gone")
    assert any(text.value.startswith("Expected a checkpoint file that may be read") for text in home().text)


def test_the_python_lines_name_what_exists(home):
    calls = [node.func for node in ast.walk(ast.parse(python_lines(home()))) if isinstance(node, ast.Call)]
    used = [call.attr for call in calls if isinstance(call, ast.Attribute) and ast.unparse(call.value) == "aegis"]
    assert used
    for name in used:
        assert callable(getattr(aegis, name))


def test_the_python_lines_name_a_suspect_and_images_that_are_there(home):
    checkpoint, data = (
        node.value for node in ast.walk(ast.parse(python_lines(home()))) if isinstance(node, ast.Constant)
    )
    assert (ROOT / checkpoint).is_file()
    assert data in SOURCES


def test_a_store_that_cannot_be_used_is_a_message(home, tmp_path):
    (tmp_path / "store").write_text("")
    at = home()
    assert any("Free some space, or set AEGIS_STORE" in text.value for text in at.text)
