"""The analyst's review as text."""

import pytest

from aegis.records.review import NO_REVIEW, Review, read_review

REVIEW = Review("Seen twice.\nBy ε and 中文, \x00 <b>.", {7: "confirmed", 0: "dismissed"})


@pytest.mark.parametrize("review", [REVIEW, NO_REVIEW])
def test_a_review_comes_back(review):
    assert read_review(review.to_json().encode()) == review


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"none", b"[]", b'{"note": 3}', b'{"note": "\xff"}'),
        b'{"decisions": {"seven": "confirmed"}}',
        b'{"decisions": {"7": "open"}}',
        b'{"decisions": ["confirmed"]}',
        REVIEW.to_json().encode()[:-5],
    ],
)
def test_what_is_no_review_is_none(text):
    assert read_review(text) is None
