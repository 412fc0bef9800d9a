"""The import rule: only downwards, and only the libraries that a room may use."""

import os
import re
import subprocess
import sys
import tempfile

import pytest

from tests.cli.test_help import COMMANDS
from tests.layers import RAY, ROOT, WITHOUT_TORCH, at_import, breaches, imported, module_of, sources


def test_imports_go_downwards():
    found = (breaches(path.read_text(), module_of(path), path.name == "__init__.py") for path in sources())
    assert [breach for each in found for breach in each] == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("aegis.core.types", "import aegis.models.card"),
        ("aegis.models.load", "from aegis.attacks.pgd import pgd"),
        ("aegis.models.load", "from ..attacks.pgd import pgd"),
        ("aegis.models.load", "from .. import attacks"),
        ("aegis.data.named", "from aegis.models.card import Card"),
        ("aegis.detect.scan", "from aegis.baselines import neural_cleanse"),
        ("aegis.store.store", "import aegis.report.pdf"),
        ("aegis.report.pdf", "from aegis.store.store import Store"),
        ("aegis.detect.scan", "from aegis import scan"),
        ("aegis.detect.scan", "def late():\n    from aegis.store.store import Store"),
        ("aegis.detect.scan", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import aegis.cli"),
        ("aegis.cli", "from aegis.ui import frame"),
        ("aegis.ui.components.widgets", "from aegis.cli import main"),
        ("aegis.ui.scan.page", "from aegis.ui.history.rows import row_of"),
        ("aegis.ui.session", "from aegis.ui import inspect"),
        ("aegis.cli", "import streamlit as st"),
        ("aegis.fleet.local", "import ray"),
        ("aegis.detect.embed", "from plotly import graph_objects"),
        ("aegis.novelty", "from aegis.core.types import Dataset"),
    ],
)
def test_a_breach_is_seen(module, line):
    assert len(breaches(line, module)) == 1


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("aegis.core.types", "from aegis.core.errors import DataError"),
        ("aegis.models.load", "from .card import Card"),
        ("aegis.detect.scan", "import torch, aegis.attacks.pgd, aegis.models.load"),
        ("aegis.cli", "from aegis import scan\nimport typer, json"),
        ("aegis.ui.components.widgets", "import streamlit as st\nfrom aegis.models.card import Identity"),
        ("aegis.ui.history.page", "from aegis.ui.history.rows import row_of\nfrom aegis.ui.components import recent"),
        ("app", "import streamlit as st\nfrom aegis import ui"),
    ],
)
def test_what_is_allowed_passes(module, line):
    assert breaches(line, module) == []


def test_a_package_knows_where_it_is():
    assert list(imported("from .card import Card", "aegis.models")) == [(1, "aegis.models.card.Card")]
    assert list(imported("from ..attacks import pgd", "aegis.models")) == [(1, "aegis.attacks.pgd")]


def test_every_library_in_use_is_required():
    names = {"PIL": "pillow", "sklearn": "scikit-learn", "umap": "umap-learn"}
    required = set(re.findall(r"^([\w-]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    used = {name.split(".")[0] for path in sources() for _, name in imported(path.read_text(), "aegis")}
    libraries = used - sys.stdlib_module_names - {"aegis", RAY[0]}
    assert {names.get(library, library) for library in libraries} <= required


def run(*code: str) -> str:
    """What a fresh interpreter prints."""
    with tempfile.TemporaryDirectory() as store:
        environment = {**os.environ, "AEGIS_STORE": store}
        command = [sys.executable, "-c", "\n".join(code)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_home_runs_without_torch_and_what_reports_are_drawn_with():
    told = run(
        "import sys",
        "from streamlit.testing.v1 import AppTest",
        "from aegis.ui import warm",
        # What Home itself needs, and not what it has imported for the pages after it.
        "warm.import_libraries = lambda: None",
        "at = AppTest.from_file('app.py', default_timeout=60).run()",
        "heavy = ('torch', 'sklearn', 'umap', 'matplotlib', 'reportlab')",
        "print(len(at.exception), at.title[0].value, [m for m in heavy if m in sys.modules])",
    )
    assert told == "0 AEGIS []"


def test_a_scan_of_its_own_process_begins_without_streamlit():
    told = run("import sys", "import aegis.ui.apart", "print([m for m in ('streamlit', 'torch') if m in sys.modules])")
    assert told == "[]"


def test_neither_help_nor_who_reads_results_needs_torch():
    readers = sorted(path for room in WITHOUT_TORCH for path in (ROOT / "aegis" / room).rglob("*.py"))
    for path in readers:
        assert "torch" not in {name.split(".")[0] for name in at_import(path.read_text())}, path
    told = run(
        "import sys",
        "from aegis.cli import main",
        "heavy = ('torch', 'sklearn', 'umap', 'openTSNE')",
        f"for name in {['', *COMMANDS]!r}:",
        "    sys.argv = ['aegis', *name.split(), '-h']",
        "    try:",
        "        main()",
        "    except SystemExit as end:",
        "        print('ended', end.code or 0, [m for m in heavy if m in sys.modules])",
        f"import {', '.join(map(module_of, readers))}",
        "print('ended', 0, [m for m in ('torch',) if m in sys.modules])",
    )
    ends = [line for line in told.splitlines() if line.startswith("ended")]
    assert ends == ["ended 0 []"] * (2 + len(COMMANDS))
