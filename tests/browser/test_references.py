"""References of one's own images, made from the Scan page in a real Chromium."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SUSPECT, rest, settled
from tests.detect.toy import pictures

# Until the first model is trained, on cores that other tests share.
MAKING = 600_000
OFFER = re.compile("^No references for these images")


@pytest.fixture
def images(tmp_path):
    """Clean images of two classes, just enough of each."""
    arrays = {}
    for split, seed, count in (("train", 0, 50), ("test", 1, 10)):
        both = pictures(seed, count)
        both = both.take(np.flatnonzero(both.labels < 2))
        arrays[f"x_{split}"], arrays[f"y_{split}"] = (both.pixels[:, 0] * 255).astype(np.uint8), both.labels
    path = tmp_path / "waves.npz"
    np.savez(path, **arrays)
    return path


def choose(page, images):
    """Uploads images of one's own."""
    rest(page).get_by_role("combobox", name="Images").click()
    page.get_by_role("option", name="Upload…").click()
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(images)
    said = "100 training and 20 test images of 12 × 12 pixels in 1 channel and 2 classes"
    expect(page.get_by_text(said)).to_be_visible()
    return rest(page)


def test_a_making_is_cancelled_begun_again_found_after_a_reload_and_cancelled(visit, images):
    page = choose(visit(f"Scan?suspect={SUSPECT}"), images)
    expect(page.get_by_text(OFFER)).to_be_visible()
    expect(page.get_by_text(re.compile("^4 models, "))).to_be_visible()
    settled(page)
    make, cancel = (page.get_by_role("button", name=name) for name in ("Make references", "Cancel"))
    make.click()
    expect(page.get_by_text(re.compile("^Making references: [1-9]"))).to_be_visible(timeout=MAKING)
    settled(page)
    cancel.click()
    expect(page.get_by_text("What was finished is kept")).to_be_visible()
    rest(page)
    make.click()
    expect(cancel).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]references=[\w-]{32,}$"))
    # The upload is gone with a reload, its job is not.
    page.reload()
    expect(page.get_by_text("References of waves.npz")).to_be_visible()
    settled(rest(page))
    cancel.click()
    expect(page.get_by_text("What was finished is kept")).to_be_visible()
