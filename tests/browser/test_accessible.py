"""Every page held against axe's rules, in both lights."""

import importlib.resources

import pytest

from tests.browser.conftest import NEW, OLD, rest
from tests.finished import KEY, TESTED

axe = pytest.importorskip("axe_playwright_python", reason="Needs axe: pip install axe-playwright-python")
SCRIPT = importlib.resources.files(axe) / "axe.min.js"
RUN = """axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations
    .filter(one => ["serious", "critical"].includes(one.impact))
    .map(one => `${one.id}: ${one.nodes.map(node => node.html).slice(0, 3).join("; ")}`))"""
PATHS = (
    "",
    "Scan?suspect=suspect.safetensors",
    f"Scan?scan={NEW}",
    f"Inspect_Class?scan={KEY}&class={TESTED[1]}&space=features",
    "History",
    f"Compare?one={OLD}&other={NEW}",
    "Experiments",
    "Attack_Lab",
)


@pytest.mark.parametrize("light", ["light", "dark"])
def test_nothing_serious_keeps_anybody_out(visit, address, light):
    page, found = visit(light=light), {}
    for path in PATHS:
        page.goto(f"{address}/{path}")
        # The first pages of a server wait for its imports.
        rest(page, timeout=120_000)
        # What is hidden at first as well.
        if path.startswith("Scan?scan"):
            page.get_by_text("How sure?").click()
        if path == "Experiments":
            page.get_by_text("RQ3", exact=True).click()
        rest(page).evaluate(SCRIPT.read_text())
        found[path] = page.evaluate(RUN)
    assert {path: problems for path, problems in found.items() if problems} == {}
