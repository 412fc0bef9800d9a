"""The upload widget as people use it: a real Chromium, the real Scan page, and a server of its own."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, find_chromium, rest, serve
from tests.browser.test_scan import upload_instead
from tests.hostile.doors import NotRefused

# Until a page has answered, and until a scan has failed.
ANSWER, END = 60_000, 180_000
SUSPECT = "fashion_mnist_clean.safetensors"
# Messages of the widget itself, for files that the browser does not send.
NOT_SENT = re.compile("files are not allowed|must be .* or smaller")
# After an icon, which is text too.
REFUSED, FAILED = re.compile("Refused$"), re.compile("Failed$")
MESSAGE = re.compile("^Expected ")


@dataclass(frozen=True)
class Widget:
    """A dashboard in a browser.

    Args:
        browser: real.
        address: of the dashboard.
        log: of its server.
    """

    browser: Browser
    address: str
    log: Path

    def checkpoint(self, path: Path) -> str:
        """Upload a checkpoint.

        Args:
            path: of the file.

        Returns:
            What the page says of it, at once or after Start.
        """
        with self._page("Scan") as page:
            upload_instead(page)
            _give(page, path)
            ready = page.get_by_role("combobox", name="Images")
            unnamed = page.get_by_text("It does not say what it is")
            expect(page.get_by_text(REFUSED).or_(ready).or_(unnamed).first).to_be_visible(timeout=ANSWER)
            if unnamed.count():
                _choose(page, "Architecture", "aegis:cnn16")
            if page.get_by_text(REFUSED).count() == 0:
                _choose(page, "Images", "Fashion-MNIST, bundled sample")
            return self._end(page)

    def images(self, path: Path) -> str:
        """Upload images beside a bundled suspect.

        Args:
            path: of the file.

        Returns:
            What the page says of them.
        """
        with self._page(f"Scan?suspect={SUSPECT}") as page:
            _choose(page, "Images", "Upload…")
            _give(page, path)
            answer = page.get_by_text(REFUSED).or_(page.get_by_role("button", name="Start"))
            unsent = page.get_by_text(NOT_SENT)
            expect(answer.or_(unsent).first).to_be_visible(timeout=ANSWER)
            if unsent.count():
                return f"Expected a file that the widget sends: {unsent.first.inner_text()}"
            return self._end(page)

    @contextmanager
    def _page(self, where: str) -> Iterator[Page]:
        context = self.browser.new_context(viewport={"width": 1366, "height": 768})
        try:
            page = context.new_page()
            page.goto(f"{self.address}/{where}")
            expect(page.get_by_role("combobox", name="Suspect")).to_be_visible(timeout=ANSWER)
            yield page
        finally:
            context.close()

    def _end(self, page: Page) -> str:
        """The one message, once it is there; whatever else comes is an error."""
        rest(page)
        if page.get_by_text(REFUSED).count() == 0:
            page.get_by_role("button", name="Start").click()
            done = page.get_by_text(re.compile("^(Infected|Clean|Inconclusive):")).first
            expect(page.get_by_text(FAILED).or_(done).first).to_be_visible(timeout=END)
        rest(page)
        if page.get_by_test_id("stException").count() or "Traceback" in self.log.read_text():
            return f"Traceback? {page.get_by_test_id('stException').all_inner_texts()}, and in the log of the server"
        said = page.get_by_text(MESSAGE).all_inner_texts()
        if len(said) != 1:
            raise NotRefused(f"{said} was said")
        return said[0]


@contextmanager
def widget(folder: Path) -> Iterator[Widget]:
    """Run a dashboard over the bundled suspects with an empty store.

    Args:
        folder: of the store.

    Yields:
        Its widgets.
    """
    path = find_chromium()
    assert path is not None, "no Chromium was found"
    (folder / "server").mkdir()
    log = folder / "server" / "log"
    with serve(Path("assets/models").absolute(), log) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield Widget(browser, address, log)
        browser.close()


def _give(page: Page, path: Path) -> None:
    page.get_by_test_id("stFileUploader").last.locator("input[type=file]").set_input_files(path)


def _choose(page: Page, label: str, option: str) -> None:
    rest(page).get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()
    rest(page)
