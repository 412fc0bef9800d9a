"""The last part of the Scan page: the analyst's decisions, and the report to download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import streamlit as st

from aegis.core.errors import AegisError, StoreError
from aegis.core.text import numbered
from aegis.core.types import Dataset
from aegis.records.record import ClassRecord, ScanRecord
from aegis.records.review import NO_REVIEW, Decision, Review
from aegis.store.store import Store
from aegis.ui.components.widgets import complain
from aegis.ui.session import server_state

# Characters of a note; the report's first page still holds them.
NOTE = 2000
OPEN: Final = "open"
DECISIONS: dict[Decision | Literal["open"], str] = {
    OPEN: "Open",
    "confirmed": "Confirm",
    "dismissed": "Dismiss",
}
# Flagged classes that are shown at once; there may be hundreds.
ROWS = 5
_STYLE = """<style>
[class*="st-key-decide-"] [data-testid="stText"] { overflow-wrap: anywhere; }
.st-key-review-flagged [data-testid="stMarkdown"] p { font-size: .875rem; }
.st-key-review-offer [data-testid="stText"] { font-size: .875rem; opacity: .8; overflow-wrap: anywhere; }
/* A long name or reason stands beside its control, where there is room. */
@media (min-width: 640px) {
  [class*="st-key-decide-"], .st-key-review-offer { flex-wrap: nowrap; }
  [class*="st-key-decide-"] > :first-child, .st-key-review-offer > :last-child { min-width: 0; }
}
</style>"""


@dataclass(eq=False)
class Draft:
    """A scan's review as one session sees it; the store's review counts while the store can be used.

    Args:
        key: of the scan.
        review: as last seen.
        last: as the store last had it.
        kept: whether the store has it.
        problem: why not, or empty.
    """

    key: str
    review: Review = NO_REVIEW
    last: Review = NO_REVIEW
    kept: bool = True
    problem: str = ""

    def refresh(self, record: ScanRecord) -> Review:
        """Reads the review again, with other sessions' changes."""
        if self.kept:
            try:
                self.last = self.review = fitting(Store().find_review(self.key) or NO_REVIEW, record)
                self.problem = ""
            except StoreError as error:
                self.problem = str(error)
        return self.review

    def change(self, record: ScanRecord, change: Callable[[Review], Review]) -> None:
        """Changes the review and saves it; on failure the change stays in the draft.

        Args:
            record: the scan.
            change: makes the new review of the old one.
        """
        self.review, self.kept = fitting(change(self.refresh(record)), record), False
        try:
            # Other sessions may have decided meanwhile, so the store merges both reviews.
            self.last = self.review = fitting(Store().keep_review(self.key, self.review, since=self.last), record)
            self.kept, self.problem = True, ""
        except StoreError as error:
            self.problem = str(error)


def fitting(review: Review, record: ScanRecord) -> Review:
    """Drops the parts of a review that the page cannot show.

    Returns:
        The review with a note that is not too long, and decisions about this scan's classes only.
    """
    decisions = {
        one.label: decision
        for one in record.classes
        if (decision := review.decisions.get(one.label)) and (one.flagged or decision == "confirmed")
    }
    return Review(review.note[:NOTE], decisions)


def show_review(key: str, record: ScanRecord, images: Dataset | None, at_hand: tuple[int, ...], missing: str) -> None:
    """Shows note, decisions and report.

    Args:
        key: of the scan in the store.
        record: the scan.
        images: of the scan, or None if they are gone.
        at_hand: labels of the classes with pages in the report whose evidence is still kept.
        missing: in words what the report has to do without, or nothing.
    """
    st.html(_STYLE)
    st.header("Review and report", anchor=False)
    st.caption(
        "Your note and decisions go into the report, and stay with this scan for everybody who opens it here. "
        "The verdict itself does not change."
    )
    _show(key, record, images, at_hand, missing)


@st.fragment
def _show(key: str, record: ScanRecord, images: Dataset | None, at_hand: tuple[int, ...], missing: str) -> None:
    draft: Draft = st.session_state.setdefault(f"review-draft-{key}", Draft(key))
    review = draft.refresh(record)
    note, decisions = st.columns(2, gap="large")
    with note:
        _ask_note(draft, record, review)
    with decisions:
        _ask_flagged(draft, record, review)
        _ask_others(draft, record, review)
    if draft.problem:
        complain(draft.problem, "Not kept")
    _offer(draft, record, images, at_hand, missing)


def _ask_note(draft: Draft, record: ScanRecord, review: Review) -> None:
    name = f"review-note-{draft.key}"

    def take(review: Review) -> Review:
        return replace(review, note=st.session_state[name])

    _stand(name, review.note)
    st.text_area(
        "Note",
        key=name,
        height=190,
        max_chars=NOTE,
        placeholder="What you saw, and why you decide as you do",
        on_change=draft.change,
        args=(record, take),
    )


def _ask_flagged(draft: Draft, record: ScanRecord, review: Review) -> None:
    flagged = [one for one in record.classes if one.flagged]
    if not flagged:
        st.caption("The scan flags no class.")
        return
    with st.container(key="review-flagged"):
        st.markdown(
            "Flagged classes",
            help="Confirm: you hold the class to be backdoored. Dismiss: you hold it to be falsely flagged. "
            "Open: not decided yet.",
        )
    first = 0
    rows = st.container(gap="xsmall")
    if len(flagged) > ROWS:
        first = (st.pagination(-(-len(flagged) // ROWS), key=f"review-page-{draft.key}") - 1) * ROWS
    with rows:
        for one in flagged[first : first + ROWS]:
            _ask_one(draft, record, one, review.decisions.get(one.label, OPEN))


def _ask_one(draft: Draft, record: ScanRecord, one: ClassRecord, decided: str) -> None:
    name = f"review-{one.label}-{draft.key}"

    def take(review: Review) -> Review:
        others = {label: made for label, made in review.decisions.items() if label != one.label}
        made = st.session_state[name]
        return replace(review, decisions=others if made == OPEN else {**others, one.label: made})

    _stand(name, decided)
    with st.container(horizontal=True, vertical_alignment="center", key=f"decide-{one.label}"):
        st.text(numbered(one.label, one.name), width="stretch")
        st.segmented_control(
            f"Decision on class {one.label}",
            list(DECISIONS),
            format_func=lambda decision: DECISIONS[decision],
            required=True,
            key=name,
            label_visibility="collapsed",
            on_change=draft.change,
            args=(record, take),
        )


def _ask_others(draft: Draft, record: ScanRecord, review: Review) -> None:
    others = {one.label: one for one in record.classes if not one.flagged}
    if not others:
        return
    name = f"review-others-{draft.key}"

    def take(review: Review) -> Review:
        flagged: dict[int, Decision] = {k: made for k, made in review.decisions.items() if k not in others}
        return replace(review, decisions={**flagged, **dict.fromkeys(st.session_state[name], "confirmed")})

    _stand(name, [label for label in others if label in review.decisions])
    st.multiselect(
        "Confirm classes" if len(others) == len(record.classes) else "Confirm other classes",
        list(others),
        format_func=lambda label: numbered(label, others[label].name),
        key=name,
        placeholder="None",
        help="Classes that the scan does not flag, and that you hold to be backdoored nevertheless.",
        on_change=draft.change,
        args=(record, take),
    )


def _offer(draft: Draft, record: ScanRecord, images: Dataset | None, at_hand: tuple[int, ...], missing: str) -> None:
    papers, contents = server_state().reports, (record, at_hand, images, draft.review)
    paper, problem = papers.find(*contents), ""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="review-offer"):
        # Made before it is offered: a report made on download would be lost when the page reruns.
        slot = st.empty()
        icon = ":material/picture_as_pdf:"
        if paper is None and slot.button("Make the report", icon=icon, type="primary", key=f"review-make-{draft.key}"):
            try:
                with slot, st.spinner("Making the report"):
                    paper = papers.make(*contents)
            except AegisError as error:
                problem = str(error)
        if paper is not None:
            slot.download_button(
                "Download the report",
                data=paper,
                file_name=f"aegis-verdict-{record.model.sha256[:12]}.pdf",
                mime="application/pdf",
                icon=":material/download:",
                type="primary",
                key=f"review-download-{draft.key}",
                on_click="ignore",
            )
        if missing:
            st.text(missing, width="stretch")
        else:
            st.caption("A PDF whose first page is for those who decide; the evidence and the method follow.")
    if problem:
        complain(problem, "No report")


def _stand(name: str, value: Any) -> None:  # noqa: ANN401 - as widgets have it
    # Only where it differs: setting the value would discard text being typed.
    if name not in st.session_state or st.session_state[name] != value:
        st.session_state[name] = value
