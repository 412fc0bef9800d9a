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
    """Time a visit in a new tab.

    Args:
        context: of the browser.
        address: of the page.
        conditions: JavaScript functions that become true.

    Returns:
        Seconds until each holds.
    """
    page = context.new_page()
    seconds = visit(page, address, *conditions)
    page.close()
    return seconds


def visit(page: Page, address: str, *conditions: str) -> list[float]:
    """Time a visit in a tab that stays, so that inputs can be timed after it.

    Args:
        page: the tab.
        address: of the page.
        conditions: JavaScript functions that become true.

    Returns:
        Seconds until each holds.
    """
    page.goto(address, wait_until="commit")
    page.evaluate(SCRIPT)
    seconds: list[float] = page.evaluate(f"() => aegis.watch(0, {LIMIT}, [{', '.join(conditions)}])")
    settle(page)
    return [time / 1000 for time in seconds]


def react(page: Page, condition: str, act: Callable[[], None]) -> float:
    """Time an input, and wait until the page comes to rest.

    Args:
        page: the tab.
        condition: a JavaScript function that becomes true.
        act: makes the input.

    Returns:
        Seconds until it holds.
    """
    page.evaluate(f"() => {{ window.aegisTimes = aegis.watch(performance.now(), {LIMIT}, [{condition}]); }}")
    act()
    (milliseconds,) = page.evaluate("() => window.aegisTimes")
    settle(page)
    seconds: float = milliseconds / 1000
    return seconds


def settle(page: Page) -> None:
    """Wait until the page is at rest; nothing on it may have failed."""
    page.evaluate(f"() => aegis.rest({LIMIT})")
    assert page.get_by_test_id("stException").count() == 0, page.get_by_test_id("stException").all_inner_texts()


def aim(page: Page, target: Locator) -> Callable[[], None]:
    """Move the mouse to an element.

    Args:
        page: the tab.
        target: the element.

    Returns:
        Presses and releases the button there.
    """
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    return aim_at(page, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def aim_at(page: Page, x: float, y: float) -> Callable[[], None]:
    """Move the mouse to a place on the page.

    Args:
        page: the tab.
        x, y: in pixels.

    Returns:
        Presses and releases the button there.
    """
    page.mouse.move(x, y)

    def press() -> None:
        page.mouse.down()
        page.mouse.up()

    return press
