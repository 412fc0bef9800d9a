"""What a report is made of: what is there, and in words what is not."""

import pytest

from aegis.core.errors import DataError, StoreError
from aegis.services.report_inputs import find_featured, find_images, say_missing
from tests.report.made import made
from tests.stored import dataset


@pytest.fixture(scope="module")
def scan():
    """Classes 2, 3 and 0 are flagged, the strongest first."""
    return made(rates=(0.6, 0.2, 0.9, 0.7))


def test_the_very_images_are_found(scan):
    asked = []

    def load(source):
        asked.append(source)
        return scan.data

    assert find_images(scan.record, load=load) == (scan.data, "")
    assert find_images(scan.record, "elsewhere", load=load) == (scan.data, "")
    assert asked == ["samples:made", "elsewhere"]


def test_others_are_none_unless_they_were_named(scan):
    other = dataset(name="samples:made")
    assert find_images(scan.record, load=lambda _: other) == (None, "the scan's images (others under samples:made)")
    with pytest.raises(DataError, match="the images that were scanned"):
        find_images(scan.record, "elsewhere", load=lambda _: other)


def test_the_flagged_are_found_and_what_is_lost_is_said(scan, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", "/store")
    kept = {0: "bag", 2: "coat"}
    found, lost = find_featured(scan.record, lambda record, label: kept.get(label))
    assert found == {2: "coat", 0: "bag"}
    assert lost == "/store no longer has what was computed for class 3"
    assert find_featured(scan.record, lambda record, label: label) == ({2: 2, 3: 3, 0: 0}, "")


def test_a_store_that_cannot_be_used_has_nothing(scan):
    def fail(record, label):
        raise StoreError("a store", "none", "Make one.")

    assert find_featured(scan.record, fail) == ({}, "what was computed (none)")


def test_what_is_missing_is_one_sentence():
    assert say_missing("", "") == ""
    assert say_missing("one", "") == "Some pictures are missing: one."
    assert say_missing("one", "other") == "Some pictures are missing: one; other."
