"""Seconds on the History page over several hundred scans, in a real Chromium.

    python -m benchmarks.history [--scans 300] [--runs 10] [--records FOLDER]

The store is filled with records of real scans, over and over until there are enough of them.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import cycle, islice
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright

from aegis.records.record import read_record
from aegis.store.store import Store
from benchmarks.machine import describe
from benchmarks.pages import profile, told
from benchmarks.steps import WHOLE, heading, target_of
from benchmarks.stopwatch import paint, react, visit
from benchmarks.timing import Timing, line
from tests.browser.conftest import ARGUMENTS, find_chromium, launch

RECORDS = Path("results/scans/quick/default")
FIND = "fashion"
# Seconds, in which the page first waits whether more is typed.
TYPED = 0.7
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


def fill(store: Store, records: Path, count: int) -> list[str]:
    """Keep copies of scans, an hour apart.

    Args:
        store: where they are kept.
        records: folder of scans to copy.
        count: number of copies.

    Returns:
        Their keys.
    """
    found = [read_record(path) for path in sorted(records.glob("*.json.gz"))]
    keys = []
    for i, record in enumerate(islice(cycle(found), count)):
        created = (FIRST + timedelta(hours=i)).isoformat(timespec="seconds")
        keys.append(sha256(str(i).encode()).hexdigest())
        store.keep_scan(keys[-1], record.model_copy(update={"created": created}))
    return keys


def counted(number: str, what: str = "scans") -> str:
    """Write a condition of a page: its table is drawn with a number of rows.

    Args:
        number: as the page says it, a regular expression.
        what: the rows are, in the plural.

    Returns:
        JavaScript.
    """
    return (
        f"() => aegis.says('[data-testid=\"stCaptionContainer\"]', /^{number} {what}/) "
        "&& document.querySelector('[data-testid=\"glide-cell-3-0\"]')"
    )


def timed(context: BrowserContext, server: str, store: Store, keys: list[str], runs: int) -> Iterator[Timing]:
    """Time visits of the list and of a comparison, each in a new tab, and typing into a filter.

    Args:
        context: of the browser.
        server: its address.
        store: with the scans.
        keys: of the scans.
        runs: visits of each.

    Yields:
        Timings.
    """
    all_of_them = (heading("History"), counted(str(len(keys))))
    yield Timing("First visit of a new server, History", [paint(context, f"{server}/History", *all_of_them)[-1]])
    for part, seconds in _each(lambda: paint(context, f"{server}/History", *all_of_them), runs):
        yield Timing(f"History, {len(keys)} scans: {part}", seconds, target_of(part))
    yield Timing("History: all of it, after another scan was kept", _after_writing(context, server, store, keys, runs))
    whole = "() => aegis.charts(1) && aegis.says('h2', /^How they were scanned$/)"
    address = f"{server}/Compare?one={keys[0]}&other={keys[1]}"
    paint(context, address, heading("Compare"), whole)
    for part, seconds in _each(lambda: paint(context, address, heading("Compare"), whole), runs):
        yield Timing(f"Compare: {part}", seconds, target_of(part))
    yield Timing("History: a word typed to the filtered list", _typed(context, server, all_of_them, runs), TYPED)


def _each(measure: Callable[[], list[float]], runs: int) -> Iterator[tuple[str, tuple[float, ...]]]:
    return zip(("heading", WHOLE), zip(*(measure() for _ in range(runs))), strict=True)


def _after_writing(context: BrowserContext, server: str, store: Store, keys: list[str], runs: int) -> list[float]:
    record = store.find_scan(keys[0])
    assert record is not None
    seconds = []
    for _ in range(runs):
        store.keep_scan(keys[0], record)
        seconds.append(paint(context, f"{server}/History", counted(str(len(keys))))[-1])
    return seconds


def _typed(context: BrowserContext, server: str, conditions: tuple[str, ...], runs: int) -> list[float]:
    page, seconds = context.new_page(), []
    for _ in range(runs):
        visit(page, f"{server}/History", *conditions)
        box = page.get_by_role("searchbox", name="Find")
        box.click()
        seconds.append(react(page, counted("\\d+ of \\d+"), lambda box=box: box.fill(FIND)))
    page.close()
    return seconds


def main() -> None:
    """Print the median and the range of everything, beside what it should take."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scans", type=int, default=300)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--records", type=Path, default=RECORDS)
    options, _ = parser.parse_known_args()
    chromium = find_chromium()
    if chromium is None:
        sys.exit("No Chromium found: install one (Debian: apt-get install chromium) or set AEGIS_CHROMIUM to it.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        store, log = Store(Path(folder) / "store"), Path(folder) / "log"
        keys = fill(store, options.records, options.scans)
        print(f"history, {len(keys)} scans; {describe()}")
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        with launch(Path(folder), log, store.folder) as (server, _), told(log), profile(browser) as context:
            for timing in timed(context, server, store, keys, options.runs):
                print(line(timing), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
