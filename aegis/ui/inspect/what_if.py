"""One class with other settings than the scan's: what that costs, its computation and its progress."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from aegis.core.errors import CheckpointError, DataError
from aegis.core.runtime import Report, Runtime, silent
from aegis.core.text import label_with_name, printable
from aegis.core.types import Dataset, Evidence, Finding
from aegis.records.builders import source_record
from aegis.records.config import GatherConfig, ScanConfig
from aegis.records.presets import at_budget
from aegis.records.record import ScanRecord, config_of, config_record
from aegis.records.wording import METHODS
from aegis.store.cached_steps import stored
from aegis.store.store import Store
from aegis.ui.components.widgets import complain
from aegis.ui.inspect import state
from aegis.ui.inspect.choice import Choice
from aegis.ui.inspect.look import show_look
from aegis.ui.scans import find_finding, find_suspect
from aegis.ui.session import WhatIf, drop_look, find_look, server_state, start_look
from aegis.ui.suspects import load_again, suspects_folder
from aegis.ui.watch import Watch

if TYPE_CHECKING:
    from aegis.models.load import Suspect

KEPT = "The recorded verdict stays, and what is computed is kept."


def what_if_of(choice: Choice, scanned: Finding, epsilon: float, method: str) -> WhatIf:
    """Names a view of a class by what differs from its scan.

    Args:
        choice: the class.
        scanned: finding of the scan.
        epsilon: the budget, an L2 radius.
        method: of the embedding.
    """
    return WhatIf(choice.key, scanned.label, None if epsilon in scanned.evidence.budgets else epsilon, method)


def find_what_if_of(choice: Choice, scanned: Finding, what_if: WhatIf) -> Finding | None:
    """Finds the class with the chosen budget and method, as scanned or as computed by a job.

    Args:
        choice: the class.
        scanned: finding of the scan.
        what_if: the chosen settings.

    Returns:
        The finding; None if it was not computed yet.
    """
    if what_if.epsilon is None and what_if.method == _method(choice):
        return scanned
    return find_finding(with_what_if(choice.record, what_if), what_if.label)


def show_computing(choice: Choice, data: Dataset | None, what_if: WhatIf, back: float) -> None:
    """Starts the computation by itself the first time it is asked for, and shows how far it is or why there is none.

    Args:
        choice: the class.
        data: the scan's images, or None where they are no longer to be had.
        what_if: settings that nothing was computed with yet.
        back: the budget of the scan to go back to.
    """
    job = find_look(what_if)
    if job is None and isinstance(look := _prepare(choice, data, what_if), WhatIfJob):
        # A slider that moves on leaves what it passed.
        drop_look(state.note_computing(what_if))
        _start(choice, look)
        job = find_look(what_if)
    if job is not None and not job.over:
        show_look(what_if, _what(what_if), "inspect-look")
    else:
        _offer(choice, data, what_if, back)
    if job is not None and job.state == "failed":
        complain(job.message, "Failed")


def _start(choice: Choice, look: WhatIfJob) -> None:
    title = f"Class {label_with_name(choice.entry.label, printable(choice.entry.name, 40))}"
    start_look(look.what_if, lambda report, watch: run(look, report, watch), title)


def _offer(choice: Choice, data: Dataset | None, what_if: WhatIf, back: float) -> None:
    """Offers to compute what was cancelled, has failed or is gone, or says what is missing for it."""
    look = _prepare(choice, data, what_if)
    with st.container(border=True, key="inspect-offer"):
        # In one row, since the last view stays below it.
        row = st.container(horizontal=True, vertical_alignment="center")
        row.markdown(f"**{_what(what_if)} was not part of the scan.**", width="content")
        row.text(look if isinstance(look, str) else KEPT, width="stretch")
        if isinstance(look, WhatIfJob):
            row.button(
                "Compute it", key="inspect-look", icon=":material/play_arrow:", on_click=_start, args=(choice, look)
            )
        row.button("Back", icon=":material/undo:", on_click=state.go_back, args=(back, _method(choice)))


def _what(what_if: WhatIf) -> str:
    method = METHODS.get(what_if.method, what_if.method)
    return method if what_if.epsilon is None else f"ε = {what_if.epsilon:g}"


def _method(choice: Choice) -> str:
    method: str = config_of(choice.record).embed.method
    return method


def _prepare(choice: Choice, data: Dataset | None, what_if: WhatIf) -> WhatIfJob | str:
    """Makes the computation, or says what it lacks."""
    record = with_what_if(choice.record, what_if)
    if what_if.epsilon is None:
        return WhatIfJob(record=record, what_if=what_if)
    if data is None:
        return "It cannot be computed either, since the scan's images are not at hand."
    uploads = server_state().upload_cache.uploads.get(choice.key)
    suspect = uploads.suspect if uploads else None
    path = None if suspect else find_suspect(record.model.sha256)
    if suspect is None and path is None:
        return (
            "To compute it, the suspect itself has to be at hand: put the file with SHA-256 "
            f"{record.model.sha256} into {suspects_folder()}."
        )
    return WhatIfJob(record=record, what_if=what_if, images=data, path=path, suspect=suspect)


@dataclass(frozen=True, eq=False, kw_only=True)
class WhatIfJob:
    """A computation with its model and images.

    Args:
        record: of the scan, with these settings.
        what_if: the settings.
        images: of the scan; needed for another budget.
        path: of the suspect, or None.
        suspect: the suspect itself where it was uploaded, or None.
    """

    record: ScanRecord
    what_if: WhatIf
    images: Dataset | None = None
    path: Path | None = None
    suspect: Suspect | None = None


def with_what_if(record: ScanRecord, what_if: WhatIf) -> ScanRecord:
    """Makes the record of a scan as it would be with other settings; the store keeps what-if results under it.

    Raises:
        AegisError: if the record is of another version, or the budget out of range.
    """
    config: ScanConfig = config_of(record)
    if what_if.epsilon is not None:
        config = at_budget(config, what_if.epsilon)
    config = replace(config, embed=replace(config.embed, method=what_if.method))
    # What-if results are computed by the present source, whatever the scan ran with.
    return record.model_copy(update={"config": config_record(config), "source": source_record()})


def run(look: WhatIfJob, report: Report, watch: Watch) -> None:
    """Translates, reads features and embeds them, reusing and keeping results in the store.

    Args:
        look: the computation.
        report: told of progress; raises ``Cancelled`` when the user has had enough.
        watch: collects progress for the page.

    Raises:
        AegisError: if what is needed is gone or the store cannot be used.
    """
    from aegis.detect.scan import STEPS

    record, label, config = look.record, look.what_if.label, config_of(look.record)
    watch.know(record.data.class_names, (label,), tries=False)

    def gather(
        classifier: object, data: Dataset | None, label: int, config: GatherConfig, *, report: Report = silent
    ) -> Evidence:
        from aegis.core.runtime import at_hand, choose_runtime

        if data is None:
            raise DataError("the images that were scanned", "none at hand", "Give them under the name they had.")
        watch.say("Reading the model")
        model = _suspect(look).classifier
        watch.say("Translating")
        runtime = choose_runtime(at_hand(record.runtime.device), record.runtime.precision)
        return STEPS.gather(model.frozen(runtime), data, label, config, report=report)

    runtime = Runtime(device=record.runtime.device, precision=record.runtime.precision)
    steps = stored(replace(STEPS, gather=gather), Store(), record.model.digest, record.data.digest, runtime)
    evidence = steps.gather(None, look.images, label, config.gather, report=report)
    watch.say("Drawing features in the plane")
    steps.embed(evidence, config.embed, report=report)


def _suspect(look: WhatIfJob) -> Suspect:
    suspect = look.suspect or (load_again(look.path, look.record) if look.path else None)
    if suspect is None:
        raise CheckpointError(
            "the suspect that was scanned",
            "none that reads as the same model",
            f"Put the file with SHA-256 {look.record.model.sha256} among the suspects again.",
        )
    return suspect
