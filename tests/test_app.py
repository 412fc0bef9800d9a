"""Home, run as Streamlit runs it."""

import ast
import hashlib
import runpy

import pytest
from streamlit.testing.v1 import AppTest

import aegis
from aegis.data import SOURCES
from aegis.records.example import read_example
from aegis.store.store import Store
from tests.layers import ROOT
from tests.pages.conftest import everything, parsed, run
from tests.stored import record
from tests.suspects import HOSTILE, write_cut, write_hostile, write_infected, write_suspect


@pytest.fixture
def home(suspects):
    """Opens Home over a folder."""

    def open_home():
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
        assert not at.exception
        return at

    return open_home


def test_without_suspects_and_scans_it_says_what_to_do(home, suspects):
    at = home()
    said = everything(at)
    for part in ("No suspects here", "AEGIS_SUSPECTS", "None yet"):
        assert part in said
    assert str(suspects) in [code.value for code in at.code]


def test_a_suspect_is_a_line_that_leads_to_its_scan_and_keeps_the_truth(home, suspects):
    path = write_infected(suspects)
    at = home()
    texts = {text.value for text in at.text}
    assert {"suspect.safetensors", "Jackets and bags", "aegis:cnn16", "Fashion-MNIST, 28 × 28, grey", "2"} <= texts
    assert f"source .venv/bin/activate\naegis scan {path}" in [code.value for code in at.code]
    (digest,) = (text.help for text in at.text if text.help)
    assert digest.startswith(f"SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}, ")
    links = [link.proto for link in at.main.get("page_link")]
    demo = "suspect=suspect.safetensors"
    assert [(link.label, link.query_string) for link in links] == [
        ("Scan my model", "suspect=upload"), ("Try a demo", demo), ("Scan", demo)
    ]  # fmt: skip
    assert "Not scanned" in everything(at)
    # The example names a bundled suspect.
    (example,) = (code.value for code in at.code if code.language == "python")
    said = everything(at).replace(example, "")
    for secret in ("localised", "vermilion", "0.125", "append"):
        assert secret not in said


def test_a_suspect_has_its_last_verdict(home, suspects):
    path = write_infected(suspects)
    model = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "file": "earlier.pt"}
    for key, verdict, day in (("a", "infected", 1), ("b", "clean", 2), ("c", "inconclusive", 3)):
        one = record(created=f"2024-01-0{day}T00:00:00+00:00").model_copy(update={"verdict": verdict})
        # The latest one is of another model.
        Store().keep_scan(
            key * 64, one if key == "c" else one.model_copy(update={"model": one.model.model_copy(update=model)})
        )
    at = home()
    links = [link.proto.query_string for link in at.main.get("page_link")]
    assert links.count("scan=" + "b" * 64) == 2
    assert links.count("scan=" + "a" * 64) == 1
    # A scan of a suspect that is at hand has its name here.
    assert "earlier.pt" not in everything(at)
    assert not [text for text in at.caption if text.value == "Not scanned"]


def test_the_example_is_shown_with_what_it_is(home):
    example = read_example()
    said = everything(home())
    assert f"call {example.success:.0%} of {example.images} other test images {example.target}" in said
    assert "planted" in said


def press(at, key):
    at.button(key=key).click()
    return run(at)


def test_a_tour_of_the_example_leads_to_a_demo_and_is_offered_once(home, suspects):
    write_infected(suspects)
    example, at = read_example(), press(home(), "home-tour-start")
    told = (f"{example.success:.0%} of other images", "can be asked to draw", "translated ones (filled)")
    for step, said in enumerate((*told, f"turn {example.found_rate:.0%} of them"), 1):
        assert f"{step} of 4" in everything(at)
        assert said in everything(at)
        if step < 4:
            next(button for button in at.button if button.label == "Next").click()
            run(at)
    assert [link.proto.query_string for link in at.get("page_link")].count("suspect=suspect.safetensors") == 2 + 1
    press(at, "home-tour-close")
    assert "4 of 4" not in everything(at)
    for declined in (at, press(home(), "home-tour-decline")):
        assert not [button for button in declined.button if button.key.startswith("home-tour")]


def test_broken_files_are_messages_and_text_from_cards_is_never_parsed(home, suspects):
    write_cut(suspects)
    write_hostile(suspects)
    write_infected(suspects)
    (suspects / "link.safetensors").symlink_to(suspects / "gone")
    at = home()
    for problem in ("Expected a whole safetensors file", "Expected a checkpoint file that may be read"):
        assert any(text.value.startswith(problem) for text in at.text)
    assert "Jackets and bags" in everything(at)
    helps = "\n".join(text.help or "" for text in at.text)
    assert not [text for text in (*HOSTILE, "# Title", "<script>") if text in helps or text in parsed(at)]


def test_many_classes_are_counted_and_a_changed_file_is_read_again(home, suspects):
    names = tuple(f"class {i}" for i in range(1000))
    write_suspect(suspects, "suspect", class_names=names, shape=(3, 224, 224), name="Before")
    at = home()
    said = everything(at)
    for part in ("1,000", "224 × 224, colour", "Before"):
        assert part in said
    assert "class 1\n" not in said
    write_suspect(suspects, "suspect", name="Afterwards")
    said = everything(at.run())
    assert "Afterwards" in said
    assert "Before" not in said


def test_the_python_lines_name_what_exists(home):
    (source,) = (code.value for code in home().code if code.language == "python")
    nodes = list(ast.walk(ast.parse(source)))
    calls = [node.func for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    used = [call.attr for call in calls if ast.unparse(call.value) == "aegis"]
    assert used
    assert all(callable(getattr(aegis, name)) for name in used)
    checkpoint, data = (node.value for node in nodes if isinstance(node, ast.Constant))
    assert (ROOT / checkpoint).is_file()
    assert data in SOURCES


def test_a_store_that_cannot_be_used_is_a_message(home, suspects):
    (suspects.parent / "store").write_text("")
    assert any("Free some space, or set AEGIS_STORE" in text.value for text in home().text)


@pytest.mark.parametrize("page", ["app.py", *sorted(path.name for path in (ROOT / "pages").glob("*.py"))])
def test_processes_of_long_work_do_not_run_a_page(page):
    path = ROOT / page if page == "app.py" else ROOT / "pages" / page
    # The name under which multiprocessing reads the main module again.
    assert "frame" not in runpy.run_path(str(path), run_name="__mp_main__")
