"""A running dashboard and a real Chromium. ``AEGIS_CHROMIUM`` names one that lies elsewhere."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from aegis.store.store import Store
from tests.finished import copy_of_finished
from tests.layers import ROOT
from tests.stored_scan import keep_version
from tests.suspects import write_cut, write_hostile, write_infected, write_suspect

START_SECONDS = 60
# Of the bundled suspects, the one that is scanned.
SUSPECT = "mnist_localised.safetensors"
# Two versions of a model, and another model.
OLD, NEW, ELSE = "a" * 64, "b" * 64, "c" * 64
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A browser that draws without OpenGL, whose imitation would take a core, asks nobody for updates, and runs as root
# where CI does.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find_chromium() -> str | None:
    """Where a browser lies, or None."""
    return os.environ.get("AEGIS_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A browser; without one the tests are skipped on a laptop and fail in CI."""
    path = find_chromium()
    if path is None:
        message = "No Chromium found: install one (Debian: apt-get install chromium) or set AEGIS_CHROMIUM to it."
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    # A page waits for a server that shares two cores with other tests.
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def suspects(tmp_path_factory):
    """A folder with every kind of card, the suspect of the finished scan, and one that is bundled."""
    folder = tmp_path_factory.mktemp("suspects")
    write_infected(folder).rename(folder / "jackets.safetensors")
    for write in (write_cut, write_hostile):
        write(folder)
    write_suspect(folder, "l" * 100, class_names=tuple("x" * 200 for _ in range(20)))
    (folder / SUSPECT).symlink_to(ROOT / "assets" / "models" / SUSPECT)
    return folder


@pytest.fixture(scope="session")
def dashboard(chromium, suspects, tmp_path_factory):
    """The address of a dashboard over these suspects and three scans in the spring of 2024, and the finished scan.

    The browser comes first: without one there is nothing to serve.
    """
    finished = copy_of_finished(tmp_path_factory)
    for path in finished.suspects.iterdir():
        shutil.copy(path, suspects)
    store = Store(finished.store)
    keep_version(store, OLD, "signs.pt", verdict="clean", created="2024-05-01T10:00:00+00:00")
    keep_version(store, NEW, "signs.pt", created="2024-05-03T10:00:00+00:00")
    keep_version(store, ELSE, "<b>other</b>.pt", created="2024-05-02T10:00:00+00:00")
    with serve(suspects, tmp_path_factory.mktemp("server") / "log", store.folder) as address:
        yield address


@pytest.fixture
def address(dashboard):
    """What ``visit`` opens."""
    return dashboard


@pytest.fixture
def visit(chromium, address):
    """Opens a path in a fresh browser profile and looks after what must never happen there."""
    contexts, complaints = [], []

    def heard(said):
        # Streamlit asks below the page's address first, where nothing is, and then where its server is.
        if said.type == "error" and "/_stcore/" not in said.location["url"]:
            complaints.append(f"{said.text} {said.location['url']}")

    def asked(request):
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "127.0.0.1":
            complaints.append(request.url)

    def open_page(path="", light="light", width=1366, height=768):
        context = chromium.new_context(color_scheme=light, viewport={"width": width, "height": height})
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", heard)
        page.on("request", asked)
        page.goto(f"{address}/{path}")
        return page

    yield open_page
    for context in contexts:
        settled(context.pages[0])
        context.close()
    assert complaints == []


def settled(page: Page) -> None:
    """What must hold on every page: no traceback and nothing over the edge."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def rest(page: Page, timeout: int = 30_000) -> Page:
    """The page once the server has answered all that was asked and nothing moves, within so many milliseconds.

    What is pressed while it is drawn anew, or slides away beneath the pointer, is lost.
    """
    state = "data-test-script-state"
    expect(page.get_by_test_id("stApp")).to_have_attribute(state, "notRunning", timeout=timeout)
    # Asked again and again: the promise that an animation ends is now and then never kept.
    page.wait_for_function(
        """() => !document.getAnimations().some(one =>
            one.playState === "running" && isFinite(one.effect.getComputedTiming().endTime))""",
        polling=50,
        timeout=timeout,
    )
    return page


@contextmanager
def serve(suspects: Path, log: Path, store: Path | None = None, *options: str) -> Iterator[str]:
    """The address of a dashboard over a folder of suspects and a store, by default an empty one, once it answers."""
    with launch(suspects, log, store or log.parent / "store", *options) as (address, _):
        yield address


@contextmanager
def launch(suspects: Path, log: Path, store: Path, *options: str) -> Iterator[tuple[str, int]]:
    """The same with the number of the server's process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    command += options
    folders = {"AEGIS_SUSPECTS": str(suspects), "AEGIS_STORE": str(store)}
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=ROOT, env=os.environ | folders, stdout=out, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_until_healthy(server, address, log)
        yield address, server.pid
    finally:
        server.terminate()
        server.wait(START_SECONDS)


def _wait_until_healthy(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    for _ in range(START_SECONDS * 10):
        try:
            with urlopen(f"{address}/_stcore/health", timeout=5):
                return
        except (URLError, OSError):
            # Waits a moment, and notices at once when the server has died.
            try:
                server.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            break
    pytest.fail(f"The dashboard did not start:\n{log.read_text()}")
