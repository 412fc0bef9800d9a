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
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.layers import ROOT

START_SECONDS = 60
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


def rest(page: Page) -> Page:
    """The page once the server has answered all that was asked: what is pressed while it is drawn anew is lost."""
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    return page


@contextmanager
def serve(suspects: Path, log: Path, store: Path | None = None, *options: str) -> Iterator[str]:
    """The address of a dashboard over a folder of suspects and a store, by default an empty one, once it answers."""
    with launch(suspects, log, store or log.parent / "store", *options) as (address, _):
        yield address


def row_of(page: Page, text: str) -> Locator:
    """The line of Home's suspects that says this."""
    return page.locator(".st-key-card-suspects").get_by_test_id("stHorizontalBlock").filter(has_text=text)


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
