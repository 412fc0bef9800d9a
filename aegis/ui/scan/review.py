"""What analysts say of a finished scan: the buttons, what each asks, and all reviews with their authors and times."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from aegis.core.errors import StoreError
from aegis.core.text import count_of, numbered
from aegis.records.builders import now
from aegis.records.record import ScanRecord
from aegis.records.review import AUTHOR, NOTE, Decision, Review, Reviews, by, decided, say_status, when
from aegis.store.store import Store
from aegis.ui.browser import signed_in_name
from aegis.ui.components.widgets import complain
from aegis.ui.session import author, call_author

Act = Literal["confirmed", "dismissed", "open", "note"]
# Button, icon, tip, and what the dialog asks for.
ACTS: dict[Act, tuple[str, str, str, str]] = {
    "confirmed": ("Confirm", ":material/gpp_bad:", "You hold a class to be backdoored.", "Reason (optional)"),
    "dismissed": ("Dismiss", ":material/gpp_good:", "You hold a flagged class to be a false alarm.", "Reason"),
    "open": ("Reopen", ":material/undo:", "What was decided no longer stands.", "Reason (optional)"),
    "note": ("Note", ":material/edit_note:", "Add a remark without deciding.", "Note"),
}
NEEDS_REASON: tuple[Act, ...] = ("dismissed", "note")


def show_acts(key: str, record: ScanRecord, reviews: Reviews) -> None:
    """Shows the buttons that add a review.

    Args:
        key: of the scan in the store.
        record: the scan.
        reviews: of the scan, the latest last.
    """
    for act, (name, icon, tip, _) in ACTS.items():
        offered = act == "note" or bool(_choices(act, record, reviews))
        if offered and st.button(name, icon=icon, key=f"review-{act}", help=tip):
            _ask(key, record, act)


def show_status(record: ScanRecord, reviews: Reviews) -> None:
    """Says what stands of the reviews.

    Args:
        record: the scan.
        reviews: of the scan, the latest last.
    """
    status = say_status(record, reviews)
    nothing = "Not decided yet." if reviews else "Not reviewed yet."
    st.text(f"{status[:1].upper()}{status[1:]}." if status else nothing)


def show_reviews(reviews: Reviews) -> None:
    """Lists all reviews with author, time and reason, the latest first; nothing without one."""
    if not reviews:
        return
    with st.expander(count_of(len(reviews), "review"), icon=":material/rate_review:", key="reviews"):
        for review in reversed(reviews):
            made = ", ".join(f"{one} class {label}" for label, one in sorted(review.decisions.items()))
            with st.container(gap=None):
                said = (by(review), when(review), made.replace("open", "reopened"))
                st.text("; ".join(part for part in said if part))
                if review.note.strip():
                    st.text(review.note)


def _choices(act: Act, record: ScanRecord, reviews: Reviews) -> list[int]:
    """Labels of the classes that can be decided so: only what stands differently, and no benign class is dismissed."""
    stands = {label: made for label, (made, _) in decided(reviews).items()}
    if act == "open":
        return list(stands)
    able = [one.label for one in record.classes if act == "confirmed" or one.flagged or one.label in stands]
    return [label for label in able if stands.get(label) != act]


@st.dialog("Review", width="medium")
def _ask(key: str, record: ScanRecord, act: Act) -> None:
    name, _, tip, reason_label = ACTS[act]
    reviews = Store().reviews_of(key)
    with st.form("review", border=False):
        st.caption(
            f"{tip} The recorded verdict stays as it is; your review is added to it with your name and the time."
        )
        labels = _choose_classes(act, record, reviews)
        reason = st.text_area(reason_label, max_chars=NOTE, height=110, key="review-reason")
        who = signed_in_name()
        if not who:
            who = st.text_input("Your name", value=author(), max_chars=AUTHOR, key="review-author")
        sent = st.form_submit_button("Add note" if act == "note" else name, type="primary", key="review-send")
    if not sent:
        return
    if problem := _missing(act, labels, reason, who):
        complain(problem, "Not kept")
        return
    made: Decision | None = None if act == "note" else act
    review = Review(reason.strip(), dict.fromkeys(labels, made) if made else {}, who.strip(), now())
    try:
        Store().add_review(key, review)
    except StoreError as error:
        complain(str(error), "Not kept")
        return
    if not signed_in_name():
        call_author(who.strip())
    st.rerun()


def _choose_classes(act: Act, record: ScanRecord, reviews: Reviews) -> list[int]:
    if act == "note":
        return []
    names = {one.label: numbered(one.label, one.name) for one in record.classes}
    offered = _choices(act, record, reviews)
    usual = [one.label for one in record.classes if one.flagged and one.label in offered]
    if len(offered) == 1:
        st.text(f"Class {names[offered[0]]}")
        return offered
    return st.multiselect(
        "Classes", offered, default=usual, format_func=lambda label: names.get(label, str(label)), key="review-classes"
    )


def _missing(act: Act, labels: list[int], reason: str, who: str) -> str:
    if act != "note" and not labels:
        return "Expected a class; got none. Choose one."
    if act in NEEDS_REASON and not reason.strip():
        return "Expected a reason; got none. Say why, for those who read the report."
    return "" if who.strip() else "Expected your name; got none. It stands beside the review, in the report as well."
