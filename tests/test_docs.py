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
def test_links_and_paths_lead_somewhere_and_python_uses_public_names(path):
    text = path.read_text()
    for target in re.findall(r"\]\(([^)]+)\)", text):
        file, _, anchor = target.partition("#")
        if not target.startswith("https://"):
            there = path.parent / file if file else path
            assert there.is_file(), target
            assert not anchor or anchor in anchors(there), target
    named = re.findall(r"`((?:aegis|assets|bank|benchmarks|docs|pages|results|tests)/[\w./]*)`", text)
    assert [one for one in named if not (ROOT / one).exists()] == []
    for block in re.findall(r"```python\n(.+?)```", text, re.DOTALL):
        names = [node for node in ast.walk(ast.parse(block)) if isinstance(node, ast.Attribute)]
        public = {node.attr for node in names if isinstance(node.value, ast.Name) and node.value.id == "aegis"}
        assert public <= set(aegis.__all__), block


def test_every_picture_is_shown():
    shown = {Path(target).name for path in TEXTS for target in re.findall(r"!\[.*?\]\((.+?)\)", path.read_text())}
    assert {picture.name for picture in (ROOT / "docs").glob("*.png")} == shown
