"""Seconds in the browser itself: from an input to the frame that shows what it led to.

Conditions are JavaScript functions that the page asks itself once a frame, so that measuring costs it next to nothing.
"""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page

# Seconds; longer than anything should take on a busy machine.
LIMIT = 120

SCRIPT = Path(__file__).with_suffix(".js").read_text()


def paint(context: BrowserContext, address: str, *conditions: str) -> list[float]:
    """Seconds from the beginning of a visit in a new tab until each condition holds."""
    page = context.new_page()
    seconds = visit(page, address, *conditions)
    page.close()
    return seconds


def visit(page: Page, address: str, *conditions: str) -> list[float]:
    """The same in a tab that is new or stays, for which inputs can then be timed."""
    page.goto(address, wait_until="commit")
    page.evaluate(SCRIPT)
    seconds: list[float] = page.evaluate(f"() => aegis.watch(0, {LIMIT}, [{', '.join(conditions)}])")
    settle(page)
    return [time / 1000 for time in seconds]


def react(page: Page, condition: str, act: Callable[[], None]) -> float:
    """Seconds from just before an input until a condition holds, after which the page may come to rest."""
    page.evaluate(f"() => {{ window.aegisTimes = aegis.watch(performance.now(), {LIMIT}, [{condition}]); }}")
    act()
    (milliseconds,) = page.evaluate("() => window.aegisTimes")
    settle(page)
    seconds: float = milliseconds / 1000
    return seconds


def settle(page: Page) -> None:
    """Wait until the page is at rest; nothing on it may have failed."""
    page.wait_for_function("() => aegis.settled()", timeout=LIMIT * 1000)
    assert page.get_by_test_id("stException").count() == 0, page.get_by_test_id("stException").all_inner_texts()


def aim(page: Page, target: Locator) -> Callable[[], None]:
    """Move the mouse to something; what is returned presses and lets go there."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    return aim_at(page, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def aim_at(page: Page, x: float, y: float) -> Callable[[], None]:
    """The same for a place on the page."""
    page.mouse.move(x, y)

    def press() -> None:
        page.mouse.down()
        page.mouse.up()

    return press
