"""The documentation: links lead somewhere, and Python in it can be read."""

import ast
import re
from pathlib import Path

import pytest

import aegis

ROOT = Path(__file__).resolve().parents[1]
TEXTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a text."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text()):
        file, _, anchor = target.partition("#")
        if not target.startswith("https://"):
            there = path.parent / file if file else path
            assert there.is_file(), target
            assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_python_can_be_read_and_uses_public_names(path):
    for block in re.findall(r"```python\n(.+?)```", path.read_text(), re.DOTALL):
        names = [node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Attribute)]
        public = {node.attr for node in names if isinstance(node.value, ast.Name) and node.value.id == "aegis"}
        assert public <= set(aegis.__all__), block


def test_every_picture_is_shown():
    shown = {Path(target).name for path in TEXTS for target in re.findall(r"!\[.*?\]\((.+?)\)", path.read_text())}
    assert {picture.name for picture in (ROOT / "docs").glob("*.png")} == shown


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_paths_are_there(path):
    named = re.findall(r"`((?:aegis|assets|bank|benchmarks|docs|pages|results|tests)/[\w./]*)`", path.read_text())
    assert [one for one in named if not (ROOT / one).exists()] == []
