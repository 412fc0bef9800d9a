"""Seconds on the real pages in a real Chromium: first paint, clicks, sliders, cancel, the PDF.

    python -m benchmarks.pages [--runs 10] [--preset quick] [--store FOLDER] [--parts paint inspect cancel pdf]
                               [--beside-a-scan]

Scans the bundled localised suspect first, into a store of its own; with ``--store`` into that folder, where a scan
that is there already is found. With ``--beside-a-scan`` the classes are inspected once more while another browser's
scan runs on the same server.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from aegis.data import load_dataset
from aegis.records.ranking import featured
from aegis.records.record import ScanRecord, config_of
from aegis.report.pdf import make_pdf
from aegis.store.cached_steps import find_class
from aegis.store.store import Store
from benchmarks import scan
from benchmarks.machine import describe, memory
from benchmarks.steps import (
    MOVES,
    PDF,
    SETUP,
    Addresses,
    begin_new,
    cancels,
    downloads,
    explore,
    first_paints,
    galleries,
)
from benchmarks.stopwatch import visit
from benchmarks.timing import Timing, line
from tests.browser.conftest import ARGUMENTS, find_chromium, launch

PARTS = ("paint", "inspect", "cancel", "pdf")
# Seed of the scan that runs beside; differs from those of cancelled scans.
SEED, MINUTES = 77, 20


def prepare(store: Path, preset: str) -> tuple[str, ScanRecord]:
    """Scan the bundled suspect.

    Args:
        store: where the scan is kept.
        preset: its settings.

    Returns:
        Key and record.
    """
    _, found = scan.run(store, ["--preset", preset])
    same = {record.created: (key, record) for key, record in Store(store).scans(limit=1000)}
    return same[str(found["created"])]


@contextmanager
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """Open a fresh browser profile, in which no script may fail.

    Args:
        browser: the browser.

    Yields:
        The profile.
    """
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    assert not complaints, complaints


def reports(store: Store, record: ScanRecord, runs: int) -> Timing:
    """Time the PDF without a page, once its libraries are imported.

    Args:
        store: with the scan.
        record: the scan.
        runs: number of reports.

    Returns:
        The timing.
    """
    images = load_dataset(record.data.name)
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        found = {label: find_class(store, record, label) for label in featured(record)}
        make_pdf(record, {label: finding for label, finding in found.items() if finding}, images)
        seconds.append(time.perf_counter() - start)
    return Timing("PDF without a page", seconds[1:], PDF)


def alone(browser: Browser, addresses: Addresses, parts: Sequence[str], runs: int) -> Iterator[Timing]:
    """Time everything in one browser, with nothing beside it.

    Args:
        browser: the browser.
        addresses: of the pages.
        parts: what is timed.
        runs: of each.

    Yields:
        Timings.
    """
    with profile(browser) as context:
        if "paint" in parts:
            yield from first_paints(context, addresses, runs)
        if "inspect" in parts:
            yield from explore(context, addresses)[0]
        if "cancel" in parts:
            yield cancels(context, addresses.server, runs)
        if "pdf" in parts:
            yield downloads(context, addresses, runs)


def beside_a_scan(browser: Browser, addresses: Addresses, store: Store, server: int) -> None:
    """Inspect all classes while another browser's scan runs; print times and memory, and fail if one meets the other.

    Args:
        browser: in which both have a profile of their own.
        addresses: of the classes.
        store: where the scan is kept.
        server: number of its process.
    """
    before, _ = memory(server)
    with profile(browser) as scanning, profile(browser) as inspecting:
        page = scanning.new_page()
        visit(page, f"{addresses.server}/Scan?suspect={scan.MODEL.name}", *SETUP.values())
        begin_new(page, SEED)
        timings, shown = explore(inspecting, addresses, skip=MOVES)
        running, (during, _) = page.get_by_role("button", name="Cancel").is_visible(), memory(server)
        verdict = page.locator("[class*=st-key-verdict-word-]")
        expect(verdict).to_be_visible(timeout=MINUTES * 60_000)
        after, highest = memory(server)
        record = store.find_scan(page.url.partition("scan=")[2])
        assert record is not None
        assert config_of(record).gather.seed == SEED
        assert verdict.inner_text().lower().startswith(record.verdict), verdict.inner_text()
        assert galleries(inspecting, addresses) == shown, "other pictures than without a scan beside"
    print(f"beside a scan{'' if running else ', which ended before the last class was seen'}: {record.sentence}")
    print(*map(line, timings), sep="\n")
    print(
        f"  server: {before:.0f} MiB before, {during:.0f} at the last class, {after:.0f} after, {highest:.0f} at most"
    )


@contextmanager
def told(log: Path) -> Iterator[None]:
    """Print the server's last words when something fails, since pages hide them from users.

    Args:
        log: of the server.

    Yields:
        Nothing.
    """
    try:
        yield
    except BaseException:
        print(*log.read_text().splitlines()[-40:], sep="\n", file=sys.stderr)
        raise


def main() -> None:
    """Print the median and the range of everything, beside what it should take."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--store", type=Path)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--beside-a-scan", action="store_true")
    options, _ = parser.parse_known_args()
    chromium = find_chromium()
    if chromium is None:
        sys.exit("No Chromium found: install one (Debian: apt-get install chromium) or set AEGIS_CHROMIUM to it.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store = options.store or Path(folder) / "store"
        key, record = prepare(store, options.preset)
        print(f"pages, {scan.MODEL.stem}, preset {options.preset}, {len(record.classes)} classes; {describe()}")
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        log = Path(folder) / "log"
        with launch(scan.MODEL.parent.resolve(), log, store) as (address, server), told(log):
            addresses = Addresses(address, key, tuple(one.label for one in record.classes))
            for timing in alone(browser, addresses, options.parts, options.runs):
                print(line(timing), flush=True)
            if "pdf" in options.parts:
                print(line(reports(Store(store), record, options.runs)))
            if options.beside_a_scan:
                beside_a_scan(browser, addresses, Store(store), server)
        browser.close()


if __name__ == "__main__":
    main()
