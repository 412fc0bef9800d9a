"""Times what people do on the pages; every step leads to something that was not drawn before."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from playwright.sync_api import BrowserContext, Page, expect

from benchmarks.scan import MODEL
from benchmarks.stopwatch import LIMIT, aim, aim_at, paint, react, settle, visit
from benchmarks.timing import Timing
from tests.browser.test_scan import begin, set_up

# Seconds. A heading is to be there at once, and what stands below it soon after.
PAINT, DRAWN, HOVER, STEP, CANCEL, PDF = 1.5, 2.0, 0.1, 0.3, 1.0, 2.0
# In each class: clusters that are clicked, with how many pictures at least, and steps of the slider.
CLICKS, PICTURES, MOVES = 2, 8, 2


@dataclass(frozen=True)
class Addresses:
    """Pages of one finished scan.

    Args:
        server: where the dashboard answers.
        key: of the scan.
        labels: of its classes.
    """

    server: str
    key: str
    labels: Sequence[int]

    def inspect(self, label: int) -> str:
        """Give the address of one class.

        Args:
            label: the class.

        Returns:
            The address.
        """
        return f"{self.server}/Inspect_Class?scan={self.key}&class={label}"

    @property
    def result(self) -> str:
        """The verdict."""
        return f"{self.server}/Scan?scan={self.key}"


def heading(name: str) -> str:
    """Write a condition of the page: a heading is there.

    Args:
        name: of the heading.

    Returns:
        JavaScript.
    """
    return f"() => aegis.says('h1, h2', /^{name}$/)"


GALLERY = "aegis.pictures('[data-testid=\"stImage\"] img', 1)"
WHOLE = "all of it"
# Conditions of each page, checked in turn.
HOME = {
    "heading": heading("AEGIS"),
    WHOLE: "() => aegis.all('.st-key-card-recent a').length && aegis.says('code', /aegis.scan/)",
}
SETUP = {
    "heading": heading("Scan"),
    WHOLE: "() => aegis.says('button', /Start$/) && aegis.says('[data-testid=\"stCaptionContainer\"]', /^Takes/)",
}
INSPECT = {
    "heading": heading("Inspect class"),
    WHOLE: f"() => aegis.scatter() && {GALLERY}",
}


def result(classes: int) -> dict[str, str]:
    """Write the conditions of the result page.

    Args:
        classes: number of classes.

    Returns:
        JavaScript for verdict, trigger and every class, by name.
    """
    whole = f"async () => await aegis.pictures('.aegis-small', {classes}) && aegis.pictures('.aegis-trigger img', 3)"
    return {"heading": heading("Scan"), WHOLE: whole}


def target_of(part: str) -> float:
    """Tell what a part of a page should take in a new tab.

    Args:
        part: of ``HOME`` or another page.

    Returns:
        Seconds.
    """
    return DRAWN if part == WHOLE else PAINT


def first_paints(context: BrowserContext, addresses: Addresses, runs: int) -> Iterator[Timing]:
    """Time every page in a new tab, after one visit that is not counted.

    Args:
        context: of the browser.
        addresses: of the pages.
        runs: visits of each.

    Yields:
        Timings.
    """
    label = addresses.labels[-1]
    # It waits for the imports that charts need.
    first = paint(context, addresses.inspect(label), *INSPECT.values())
    yield Timing("First visit of a new server, Inspect Class", [first[-1]])
    visits = {
        "Home": (addresses.server, HOME),
        "Scan, settings": (f"{addresses.server}/Scan", SETUP),
        "Scan, result": (addresses.result, result(len(addresses.labels))),
        "Inspect Class": (addresses.inspect(label), INSPECT),
    }
    for name, (address, conditions) in visits.items():
        paint(context, address, *conditions.values())
        times = zip(*(paint(context, address, *conditions.values()) for _ in range(runs)))
        for part, seconds in zip(conditions, times, strict=True):
            yield Timing(f"{name}: {part}", seconds, target_of(part))


def explore(context: BrowserContext, addresses: Addresses, skip: int = 0) -> tuple[list[Timing], dict[int, str]]:
    """Through all classes: clicks on clusters, steps of the bandwidth, the other budgets.

    Args:
        context: a browser profile.
        addresses: of the classes.
        skip: so many steps of the bandwidth were taken before.

    Returns:
        what was timed, and which pictures each class opened with.
    """
    page = context.new_page()
    seconds: dict[str, list[float]] = defaultdict(list)
    shown = {}
    for label in addresses.labels:
        seconds["another class"].append(visit(page, addresses.inspect(label), *INSPECT.values())[-1])
        shown[label] = page.evaluate("() => aegis.gallery()")
        for cluster in clusters(page):
            seconds["hover to the image of a point"].append(hover(page, cluster["x"], cluster["y"]))
            seconds["click on a point to its gallery"].append(click(page, **cluster))
        page.keyboard.press("Escape")
        page.wait_for_function("() => aegis.says('p', /^Nothing selected/)")
        settle(page)
        moves = [narrow(page) for _ in range(skip + MOVES)]
        seconds["bandwidth to clusters"] += moves[skip:]
        seconds["stored epsilon to both"] += other_budgets(page)
        assert f"scan={addresses.key}&class={label}" in page.url, page.url
    page.close()
    targets = {"another class": DRAWN, "hover to the image of a point": HOVER}
    return [Timing(f"Inspect Class: {name}", times, targets.get(name, STEP)) for name, times in seconds.items()], shown


def galleries(context: BrowserContext, addresses: Addresses) -> dict[int, str]:
    """Find out which pictures each class opens with.

    Args:
        context: of the browser.
        addresses: of the pages.

    Returns:
        Kinds of pictures by label.
    """
    page, shown = context.new_page(), {}
    for label in addresses.labels:
        visit(page, addresses.inspect(label), *INSPECT.values())
        shown[label] = page.evaluate("() => aegis.gallery()")
    page.close()
    return shown


def hover(page: Page, x: float, y: float) -> float:
    """Time a move of the mouse to a point, to the image beside it.

    Args:
        page: in the browser.
        x, y: of the point, in pixels.

    Returns:
        Seconds.
    """
    # The mouse leaves the chart first.
    page.mouse.move(1, 1)
    page.wait_for_function("() => !aegis.hovered()")
    return react(page, "() => aegis.hovered()", lambda: page.mouse.move(x, y))


def click(page: Page, number: float, x: float, y: float) -> float:
    """Time a click from a press on a point to the pictures of its cluster.

    Args:
        page: in the browser.
        number: of the cluster, from 1.
        x, y: of the point, in pixels.

    Returns:
        Seconds.
    """
    page.evaluate("() => { aegis.before = aegis.gallery(); }")
    shown = f"() => aegis.says('p', /: cluster {number}$/) && aegis.gallery() !== aegis.before && {GALLERY}"
    return react(page, shown, aim_at(page, x, y))


def clusters(page: Page) -> list[dict[str, float]]:
    """Find clusters to click, at the scan's bandwidth or the first narrower one that has enough.

    Args:
        page: in the browser.

    Returns:
        Numbers by name for each cluster.
    """
    while len(found := page.evaluate("few => aegis.clusters(few)", PICTURES)) < CLICKS:
        narrow(page)
    return found[:CLICKS]


def narrow(page: Page) -> float:
    """Time a press of a key on the slider, to the clusters at the next narrower bandwidth.

    Args:
        page: in the browser.

    Returns:
        Seconds.
    """
    page.evaluate("() => { aegis.before = aegis.bandwidth(); }")
    page.locator("[class*=st-key-inspect-bandwidth] input").focus()
    drawn = "() => aegis.bandwidth() !== aegis.before && aegis.bandwidth() === aegis.slider() && aegis.scatter()"
    return react(page, drawn, lambda: page.keyboard.press("ArrowLeft"))


def other_budgets(page: Page) -> Iterator[float]:
    """Time presses on other budgets that the scan kept, to their points and pictures.

    Args:
        page: in the browser.

    Yields:
        Seconds.
    """
    marks, slider = (
        page.locator(".st-key-inspect-epsilon .aegis-mark span"),
        page.locator(".st-key-inspect-epsilon input"),
    )
    drawn = (
        "() => aegis.bandwidth() !== aegis.before[0] && aegis.gallery() !== aegis.before[1]"
        f" && aegis.scatter() && {GALLERY}"
    )
    here = slider.get_attribute("aria-valuetext")
    others = [(i, budget) for i, budget in enumerate(marks.all_inner_texts()) if budget != here]
    for i, budget in others:
        page.evaluate("() => { aegis.before = [aegis.bandwidth(), aegis.gallery()]; }")
        # The chart may have been scrolled into view, and what lies below the page's header counts as in view as well.
        slider.evaluate("one => one.scrollIntoView({block: 'center'})")
        mark, track = marks.nth(i).bounding_box(), slider.locator("xpath=..").bounding_box()
        assert mark is not None
        assert track is not None
        press = aim_at(page, mark["x"] + mark["width"] / 2, track["y"] + track["height"] / 2)
        yield react(page, drawn, press)
        assert slider.get_attribute("aria-valuetext") == budget


def cancels(context: BrowserContext, server: str, runs: int) -> Timing:
    """Time presses on Cancel during translation, to the page that says so.

    Args:
        context: of the browser.
        server: its address.
        runs: number of presses.

    Returns:
        The timing.
    """
    page = context.new_page()
    visit(page, f"{server}/Scan?suspect={MODEL.name}", *SETUP.values())
    set_up(page, ["1 Trouser", "8 Bag"])
    seconds = []
    for run in range(runs):
        begin_new(page, seed=1000 + run)
        press = aim(page, page.get_by_role("button", name="Cancel"))
        seconds.append(react(page, "() => aegis.says('p', /^What was finished is kept/)", press))
        page.get_by_role("button", name="Back to the settings").click()
    page.close()
    return Timing("Scan: cancel", seconds, CANCEL)


def begin_new(page: Page, seed: int) -> None:
    """Start a scan that was never made before, and wait until its first images turn.

    Args:
        page: in the browser.
        seed: of the scan.
    """
    expect(page.get_by_role("button", name="Start")).to_be_visible()
    field = page.get_by_role("spinbutton", name="Random seed")
    if not field.is_visible():
        page.get_by_text("More settings").click()
    field.fill(str(seed))
    field.press("Enter")
    # A press on a moving page would miss.
    settle(page)
    begin(page)
    expect(page.locator(".aegis-strip img").first).to_be_visible(timeout=LIMIT * 1000)


def downloads(context: BrowserContext, addresses: Addresses, runs: int) -> Timing:
    """Time reports from the press to the file; each is made anew.

    Args:
        context: of the browser.
        addresses: of the pages.
        runs: number of reports.

    Returns:
        The timing.
    """
    page = context.new_page()
    visit(page, addresses.result, *result(len(addresses.labels)).values())
    ready = page.get_by_role("button", name="Export PDF")
    seconds: list[float] = []
    for _ in range(runs):
        settle(page)
        press = aim(page, ready)
        start = time.perf_counter()
        with page.expect_download() as download:
            press()
        content = download.value.path().read_bytes()
        seconds.append(time.perf_counter() - start)
        assert content.startswith(b"%PDF")
    page.close()
    return Timing("Scan, result: PDF", seconds, PDF)
