"""Help as a newcomer reads it."""

import re
import shlex
from pathlib import Path

import pytest

from aegis.core.version import __version__
from aegis.data import SOURCES
from aegis.detect.embed import EMBEDDERS
from aegis.lab.recipes import RECIPES
from aegis.lab.triggers import TRIGGERS
from aegis.models.architectures import ARCHITECTURES
from aegis.models.published import PUBLISHED
from aegis.records.presets import PRESETS

from .conftest import run

COMMANDS = (
    "scan",
    "compare",
    "identify",
    "reference",
    "show",
    "report",
    "history",
    "verify",
    "gc",
    "train",
    "evaluate",
    "table",
    "figure",
)
COMMANDS += (
    "fleet scan",
    "fleet status",
    "fleet cancel",
    "bank list",
    "bank train",
    "bank scan",
    "bank calibrate",
    "bank rivals",
    "bank filters",
)
ROOT = Path(__file__).parents[2]


def shown(name):
    outcome = run(*name.split(), "-h")
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


def understood(name):
    """A command as the parser knows it, by the words that lead to it."""
    from typer.main import get_command

    from aegis.cli import app

    command = get_command(app)
    for word in name.split():
        command = command.commands[word]
    return command


def examples(text):
    """The commands in a help text, put together where a backslash parts them."""
    lines = re.sub(r"\\\s*\n\s+", "", text).splitlines()
    return [line.strip() for line in lines if line.startswith("     aegis ")]


def assert_understood(words):
    """That a command knows its options, given the words after ``aegis``."""
    name = " ".join(words[:2]) if words[0] in ("bank", "fleet") else words[0]
    known = {option for parameter in understood(name).params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", COMMANDS)
def test_lines_fit_and_examples_stand_as_they_are_typed(name, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    text = shown(name)
    assert max(map(len, text.splitlines())) <= width
    found = examples(text)
    assert len(found) >= 2
    doc = understood(name).callback.__wrapped__.__doc__
    assert found == [line.strip() for line in re.sub(r"\\\n\s+", "", doc).splitlines() if "    aegis " in line]
    for example in found:
        assert example.startswith(f"aegis {name}")
        assert_understood(shlex.split(example)[1:])


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("scan", (*PRESETS, *SOURCES, *EMBEDDERS)),
        ("train", (*RECIPES, *SOURCES, *(f"aegis:{name}" for name in ARCHITECTURES if name not in PUBLISHED))),
        ("train", ("|".join(TRIGGERS),)),
    ],
)
def test_choices_are_listed(name, choices, monkeypatch):
    monkeypatch.setenv("COLUMNS", "240")
    text = shown(name)
    assert [choice for choice in choices if choice not in text] == []


def test_the_contracts_options_come_first(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    text = shown("scan")
    options = re.findall(r"│ (--\w+)", text)
    contract = {"--arch", "--data", "--classes", "--preset", "--device", "--seed", "--json", "--epsilon", "--step"}
    contract |= {"--iterations", "--seeds", "--bandwidth", "--help"}
    assert set(options[: len(contract)]) == contract


def test_the_door():
    text = run("--help").out
    assert all(f"│ {name.split()[0]} " in text for name in COMMANDS)
    assert "1 infected, 2 bad input" in " ".join(text.split())
    assert run("--version").out == f"aegis {__version__}\n"
    assert run().code == 2


@pytest.mark.parametrize("text", ["README.md", "docs/using.md", "docs/store.md"])
def test_examples_in_the_docs_are_understood(text):
    lines = re.findall(r"^aegis (.+?)(?:\s+#.*)?$", (ROOT / text).read_text(), re.MULTILINE)
    assert lines
    for line in lines:
        assert_understood(shlex.split(line))
