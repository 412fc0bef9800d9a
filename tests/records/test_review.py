"""Analysts' reviews: as text, what stands of them, and how that is said."""

import pytest

from aegis.records.review import Review, are_dismissed, decided, read_review, say_decisions, say_status
from tests.report.made import made

REVIEW = Review(
    "Seen twice.\nBy ε and 中文, \x00 <b>.", {7: "confirmed", 0: "dismissed"}, "Ann", "2024-01-02T03:04:05+00:00"
)


@pytest.fixture(scope="module")
def record():
    """Classes 1 and 2 are flagged, of four."""
    return made(rates=(0.1, 0.9, 0.9, 0.1)).record


def test_a_review_comes_back_and_so_does_one_of_before_authors_were_asked_for():
    for review in (REVIEW, Review()):
        assert read_review(review.to_json().encode()) == review
    assert read_review(b'{"note":"Seen.","decisions":{"7":"dismissed"}}') == Review("Seen.", {7: "dismissed"})


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"none", b"[]", b'{"note": 3}', b'{"note": "\xff"}'),
        b'{"decisions": {"seven": "confirmed"}}',
        b'{"decisions": {"7": "perhaps"}}',
        b'{"decisions": ["confirmed"]}',
        REVIEW.to_json().encode()[:-5],
    ],
)
def test_what_is_no_review_is_none(text):
    assert read_review(text) is None


def test_the_latest_decision_on_each_class_stands_until_it_is_taken_back():
    first, second = Review("", {1: "dismissed", 2: "confirmed"}, "Ann"), Review("No.", {1: "confirmed"}, "Bob")
    assert decided([first, Review("A remark."), second]) == {1: ("confirmed", second), 2: ("confirmed", first)}
    assert decided([first, Review("", {1: "open"})]) == {2: ("confirmed", first)}


@pytest.mark.parametrize(
    ("reviews", "dismissed", "status", "short"),
    [
        ([], False, "", ""),
        ([Review("A remark.", {}, "Ann")], False, "", ""),
        (
            [Review("A scratch\n in the lens.", {1: "dismissed", 2: "dismissed"}, "Ann")],
            True,
            "dismissed by Ann because A scratch in the lens",
            "1 dismissed, 2 dismissed by Ann",
        ),
        (
            [Review("", {2: "dismissed"}, "Ann"), Review("Seen.", {3: "confirmed"})],
            False,
            "class 2 dismissed by Ann; class 3 confirmed by an analyst because Seen; 1 class not decided yet",
            "2 dismissed, 3 confirmed, 1 open by Ann, an analyst",
        ),
        (
            [Review("", {1: "dismissed"}, "Ann"), Review("Both.", {2: "dismissed"}, "Bob")],
            True,
            "class 1 dismissed by Ann; class 2 dismissed by Bob because Both",
            "1 dismissed, 2 dismissed by Ann, Bob",
        ),
        ([Review("", {1: "dismissed", 2: "dismissed", 3: "confirmed"}, "Ann")], False, None, None),
    ],
)
def test_what_stands_is_said_with_who_and_why(record, reviews, dismissed, status, short):
    assert are_dismissed(record, reviews) is dismissed
    if status is not None:
        assert say_status(record, reviews) == status
        assert say_decisions(record, reviews) == short
