"""Seconds on the Fleet page over a thousand suspects, in a real Chromium: a fleet that is over, and one that runs.

python -m benchmarks.fleet_page [--suspects 1000] [--runs 10]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import BrowserContext, sync_playwright

from aegis.store.store import Store
from benchmarks.history import counted
from benchmarks.machine import describe
from benchmarks.pages import profile, told
from benchmarks.steps import heading
from benchmarks.stopwatch import aim, paint, react, visit
from benchmarks.timing import Timing, line
from tests.browser.conftest import ARGUMENTS, find_chromium, launch
from tests.fleet.noted import note_fleet

# Seconds that a filter should take; a word typed waits for the next letter first.
FILTERED, TYPED = 0.5, 0.7
OUTCOME, FIND, ROWS = "Not scanned", "junk", "suspects"


def timed(context: BrowserContext, server: str, which: str, runs: int) -> Iterator[Timing]:
    """Time visits, a press on an outcome, and a word typed.

    Args:
        context: of the browser.
        server: its address.
        which: fleet it is, in words.
        runs: of each.

    Yields:
        Timings.
    """
    everything, some = counted("[0-9,]+", ROWS), counted("[0-9]+ of [0-9,]+", ROWS)
    paint(context, f"{server}/Fleet", heading("Fleet"), everything)
    visits = [paint(context, f"{server}/Fleet", heading("Fleet"), everything) for _ in range(runs)]
    for part, seconds in zip(("heading", "all of it"), zip(*visits, strict=True), strict=True):
        yield Timing(f"Fleet that {which}: {part}", seconds)
    page, pressed, typed = context.new_page(), [], []
    for _ in range(runs):
        visit(page, f"{server}/Fleet", everything)
        pressed.append(react(page, some, aim(page, page.get_by_role("button", name=OUTCOME))))
        visit(page, f"{server}/Fleet", everything)
        box = page.get_by_role("searchbox", name="Find")
        box.click()
        typed.append(react(page, some, lambda box=box: box.fill(FIND)))
    page.close()
    yield Timing(f"Fleet that {which}: an outcome chosen", pressed, FILTERED)
    yield Timing(f"Fleet that {which}: a word typed", typed, TYPED)


def main() -> None:
    """Print the median and the range of everything, beside what it should take."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suspects", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=10)
    options, _ = parser.parse_known_args()
    chromium = find_chromium()
    if chromium is None:
        sys.exit("No Chromium found: install one (Debian: apt-get install chromium) or set AEGIS_CHROMIUM to it.")
    print(f"fleet page, {options.suspects} suspects; {describe()}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for which, over in (("is over", True), ("runs", False)):
            with tempfile.TemporaryDirectory() as folder:
                store, log = Store(Path(folder) / "store"), Path(folder) / "log"
                note_fleet(store.folder, options.suspects, begun=time.time() - 3600, over=over)
                with launch(Path(folder), log, store.folder) as (server, _), told(log), profile(browser) as context:
                    for timing in timed(context, server, which, options.runs):
                        print(line(timing), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
