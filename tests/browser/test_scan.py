"""A scan of a bundled suspect in a real Chromium, from Start to verdict, with all that may come between."""

import re
import time

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from aegis.models.intake.formats import file_digest
from tests.browser.conftest import rest, serve
from tests.layers import ROOT

SUSPECT = "fashion_mnist_localised.safetensors"
# A scan shares two cores with other tests.
SCAN = 600_000


@pytest.fixture(scope="module")
def address(chromium, tmp_path_factory):
    """A dashboard over the bundled suspects with an empty store."""
    with serve(ROOT / "assets" / "models", tmp_path_factory.mktemp("server") / "log") as address:
        yield address


@pytest.fixture
def visit(chromium, address):
    """Opens an address in a fresh browser profile."""
    contexts = []

    def open_page(path):
        context = chromium.new_context(viewport={"width": 1366, "height": 768})
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{address}/{path}")
        expect(page.get_by_role("heading", name="Scan", exact=True)).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()


def set_up(page, classes, seeds="50"):
    """Two classes and few images."""
    page.get_by_text("Quick", exact=True).click()
    expect(page.get_by_text(re.compile("^The same with fewer images"))).to_be_visible()
    box = page.get_by_role("combobox", name="Classes")
    for name in classes:
        box.fill(name)
        page.get_by_role("option", name=re.compile(name)).click()
    page.keyboard.press("Escape")
    page.get_by_text("More settings").click()
    field = page.get_by_role("spinbutton", name="Images per class")
    field.fill(seeds)
    field.press("Enter")
    expect(page.get_by_text(re.compile("^Takes"))).to_be_visible()


def begin(page):
    rest(page).get_by_role("button", name="Start").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    assert re.search(r"\?job=[\w-]{32,}$", page.url)


def give(page, content, name="evil.pt"):
    """Upload a checkpoint."""
    chooser = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    chooser.set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": content})


def settled(page):
    """What must hold on every page: no traceback and nothing over the edge."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture(scope="module")
def scanned(chromium, address):
    """The address of a finished scan, which was watched, reloaded and left to end."""
    page = chromium.new_page(viewport={"width": 1366, "height": 768})
    page.goto(f"{address}/Scan?suspect={SUSPECT}")
    expect(page.get_by_role("combobox", name="Images")).to_have_value("Fashion-MNIST, bundled sample")
    set_up(page, ["7 Sneaker", "3 Dress"])
    begin(page)
    # What it shows while classes are examined, after a reload as well.
    expect(page.locator(".aegis-strip img").first).to_be_visible(timeout=SCAN)
    curve = page.locator(".aegis-loss img").first
    expect(curve).to_be_visible(timeout=SCAN)
    assert curve.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    page.reload()
    expect(page.get_by_text("Robust up to")).to_be_visible()
    expect(page.locator(".aegis-strip img").first).to_be_visible()
    expect(page.get_by_role("progressbar", name="7 Sneaker")).to_be_visible()
    settled(page)
    expect(page.get_by_text(re.compile("^(Infected|Inconclusive):"))).to_be_visible(timeout=SCAN)
    expect(page).to_have_url(re.compile(r"\?scan=[0-9a-f]{64}$"))
    url = page.url
    page.close()
    return url


def test_a_scan_from_start_to_verdict(visit, scanned):
    page = visit("Scan?" + scanned.partition("?")[2])
    expect(page.get_by_text(re.compile("^Infected: a backdoor leads to class 7"))).to_be_visible()
    expect(page.get_by_role("heading", name="The trigger")).to_be_visible()
    expect(page.locator(".aegis-trigger img")).to_have_count(3)
    small = page.locator("img.aegis-small")
    expect(small).to_have_count(2)
    assert small.first.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    expect(page.locator("[class*=st-key-small-]").get_by_text("Flagged")).to_have_count(1)
    settled(page)


def test_it_is_among_the_recent_scans_on_home_and_opens_at_once(visit, scanned):
    page = visit("Scan")
    page.goto(scanned.partition("/Scan")[0])
    recent = page.locator(".st-key-card-recent")
    expect(recent.get_by_text("Infected")).to_be_visible()
    expect(recent.get_by_text(SUSPECT)).to_be_visible()
    recent.get_by_role("link", name="Open").click()
    expect(page.get_by_text(re.compile("^Infected: a backdoor leads to class 7"))).to_be_visible()
    assert page.url == scanned


def test_a_review_stays_and_goes_into_the_report(visit, scanned):
    page = visit("Scan?" + scanned.partition("?")[2])
    decision = page.get_by_role("radiogroup", name="Decision on class 7")
    decision.get_by_text("Confirm", exact=True).click()
    rest(page).get_by_role("textbox", name="Note").fill("Seen by two analysts.")
    # The click on the button is the first that the page hears of the note.
    page.get_by_role("button", name="Make the report").click()
    ready = page.get_by_role("button", name="Download the report")
    expect(ready).to_be_visible()
    with page.expect_download() as download:
        ready.click()
    assert re.fullmatch(r"aegis-verdict-[0-9a-f]{12}\.pdf", download.value.suggested_filename)
    first = PdfReader(download.value.path()).pages[0].extract_text()
    assert "Infected" in first
    assert "Sneaker: confirmed by the analyst" in first
    assert file_digest(ROOT / "assets" / "models" / SUSPECT) in first
    assert "Seen by two analysts." in first
    settled(page)
    again = visit("Scan?" + scanned.partition("?")[2])
    expect(again.get_by_role("textbox", name="Note")).to_have_value("Seen by two analysts.")
    expect(again.get_by_role("radio", name="Confirm")).to_be_checked()


def test_cancel_within_a_second_or_so_and_go_on_afterwards(visit, scanned):
    page = visit(f"Scan?suspect={SUSPECT}")
    set_up(page, ["1 Trouser", "8 Bag"], "60")
    begin(page)
    expect(page.locator(".aegis-strip img").first).to_be_visible(timeout=SCAN)
    start = time.perf_counter()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("What was finished is kept")).to_be_visible()
    # A busy machine is no reason to fail; a second is what a benchmark has to hold.
    assert time.perf_counter() - start < 10
    page.get_by_role("button", name="Back to the settings").click()
    expect(page.get_by_role("button", name="Start")).to_be_visible()
    # What the user had set is still there.
    expect(page.get_by_text("1 Trouser", exact=True)).to_be_visible()
    settled(page)


def upload_instead(page):
    """Choose to upload a checkpoint."""
    page.get_by_role("combobox", name="Suspect").click()
    page.get_by_role("option", name="Upload…").click()


def test_an_upload_that_is_no_checkpoint_is_refused_with_a_clear_message(visit):
    page = visit("Scan")
    upload_instead(page)
    give(page, b"cos\nsystem\n(S'id'")
    expect(page.get_by_text("Refused")).to_be_visible()
    expect(page.get_by_text(re.compile("^Expected a checkpoint"))).to_be_visible()
    expect(page.get_by_role("button", name="Start")).to_have_count(0)
    settled(page)
