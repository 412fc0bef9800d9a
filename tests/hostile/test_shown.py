"""Text of hostile files where people read it: terminal, page and paper show it as it is, and obey none of it."""

import pytest
from streamlit.testing.v1 import AppTest

from aegis.models.card import Card, Identity, save_checkpoint
from tests.cli.conftest import run
from tests.hostile.corpus import CHECKPOINTS
from tests.layers import ROOT
from tests.report.conftest import report
from tests.report.made import made

# Cards with escapes or reversed writing are refused; what cannot be seen otherwise is left, and so is markup.
NAMES = (
    "<img src=x onerror=alert(1)>",
    "[red]bold[/red]",
    "a\u200bb",
    "no\u00adthing",
    "\ufeffbom",
    "tag\U000e0041",
    "$x^2$",
)
SHOWN = (
    "<img src=x onerror=alert(1)>",
    "[red]bold[/red]",
    r"a\u200bb",
    r"no\xadthing",
    r"\ufeffbom",
    r"tag\U000e0041",
    "$x^2$",
)


@pytest.fixture
def suspect(suspects):
    from aegis.models.architectures import build

    identity = Identity(architecture="aegis:cnn16", class_names=NAMES, shape=(1, 12, 12), name="# Title")
    save_checkpoint(suspects / "hostile.safetensors", build("aegis:cnn16", 1, len(NAMES)), Card(identity))
    return suspects / "hostile.safetensors"


def test_on_the_terminal(suspect):
    outcome = run("show", suspect)
    assert outcome.code == 0
    said = " ".join(outcome.out.split())
    for shown in SHOWN:
        assert shown in said
    assert outcome.out.replace("\n", "").isprintable()


@pytest.mark.parametrize("page", [None, "pages/1_Scan.py"])
def test_on_pages(suspect, page):
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    if page:
        at.switch_page(page).run()
    assert not at.exception
    texts = "\n".join(text.value for text in at.text)
    parsed = "\n".join(part.value for part in [*at.markdown, *at.caption, *at.title, *at.header, *at.html])
    for name, shown in zip(NAMES, SHOWN, strict=True):
        assert name not in parsed
        # Home does not list classes.
        assert page is None or shown in texts
        assert name == shown or name not in texts


def test_on_paper():
    whole = report(made(names=NAMES)).text
    for shown in SHOWN:
        assert shown in whole
    assert "\u200b" not in whole


UPLOADS = (
    "Keras 2 (HDF5)",
    "a zip with an escape in a name",
    "card with an escape in its name",
)


@pytest.mark.parametrize("name", UPLOADS)
def test_in_the_upload_widget(name, suspects, ground):
    case = CHECKPOINTS.cases[name]
    content = ground.make(case, "model.pt").read_bytes()
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run().switch_page("pages/1_Scan.py").run()
    at.file_uploader[0].set_value(("\x1b[2J<b>model</b>.pt", content, "application/octet-stream")).run()
    assert not at.exception
    (said,) = (text.value for text in at.text if text.value.startswith("Expected "))
    # Options go by other names on pages.
    words = tuple(word for word in case.words if "--" not in word)
    ground.check(type(case)(case.name, case.make, words), said)
    assert "Start" not in [button.label for button in at.button]
    assert all(text.value.replace("\n", "").isprintable() for text in at.text)
