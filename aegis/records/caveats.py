"""Lists what a scan did not test, so that its verdict is not overrated."""

from __future__ import annotations

from collections.abc import Sequence

from aegis.core.text import class_called, count_of
from aegis.records.config import ScanConfig, TriggerSearchConfig
from aegis.records.fitting import fitted
from aegis.records.record import ControlRecord, ScanRecord, settings
from aegis.records.wording import share_of

# Thresholds were calibrated on models of ten classes; a range around that is taken to be similar.
FEW, MANY = 5, 20
# A sentence names no more parts of a file than this.
NAMED = 5
# One scan each of the bank's set `adaptive` (docs/results.md).
ADAPTIVE = (
    "Attackers who know this test and hide from it: in trials it missed a patch of a tenth of the image and a warp of "
    "the image, and found a trigger inside the training budget, one planted with true labels, one of two halves, a "
    "patch that moves, and one whose model was trained to withstand small patches."
)


def untested(record: ScanRecord) -> list[str]:
    """List what a scan did not test.

    Args:
        record: the scan.

    Returns:
        A sentence for each; names from outside stand in it as they were given.
    """
    config, tested, known = settings(record), len(record.classes), len(record.data.class_names)
    said = [f"{known - tested} of the model's {known} classes."] if tested < known else []
    if others := record.model.others:
        which = f"{count_of(len(others), 'other network')} of the file: {_names(others)}"
        said.insert(0, f"{which}. Programs may load that one instead of the one scanned.")
    if code := record.model.code:
        said.append(f"Code that the file names, of which nothing was run: {_names(code)}.")
    if reading := record.model.reading:
        said.append(f"Whether the network is read as it is used elsewhere: {'; '.join(reading)}.")
    if left := record.model.left_out:
        said.append(f"{count_of(len(left), 'tensor')} of the file outside the architecture: {_names(left)}.")
    if config is not None and (config.gather.trigger_search is None or config.verdict.rule == "paper"):
        said.append("Whether any trigger works: the paper's rule counts clusters and tries no trigger.")
    else:
        said.append(
            f"Triggers other than {_sought(config.gather.trigger_search if config else None)}: larger ones, ones that "
            "differ from image to image, ones made for a few classes together, and small changes of every pixel "
            "made for one class alone."
        )
        if not FEW <= known <= MANY:
            said.append(
                f"How often benign models of {known} classes are flagged: that was measured on models of ten classes."
            )
        if config is not None and config.gather.trigger_search != _usual(config.gather.trigger_search):
            said.append("How often benign models are flagged with these settings: that was measured with the default.")
        if config is not None and (missing := _unreferenced(record, config)):
            said.append(missing)
        said.append(ADAPTIVE)
    said.append(f"Images unlike these ({record.data.name}), and defects other than backdoors.")
    return said


def _unreferenced(record: ScanRecord, config: ScanConfig) -> str:
    """Says why the scan tells nothing about natural weak spots of its images; empty if it does."""
    models = len(config.verdict.reference_models)
    if not models:
        return (
            "Which weak spots are natural for these images: there are no benign models of the same data to compare "
            "with. The command aegis reference makes them."
        )
    if not fitted(config.verdict, record.classes, len(record.data.class_names)).reference_models:
        return (
            "Which weak spots are natural for these images: this model is weaker throughout than the "
            f"{count_of(models, 'benign model')} of the same data, so that its classes are compared with each other."
        )
    return ""


def _names(entries: Sequence[str]) -> str:
    more = f" and {len(entries) - NAMED} more" if entries[NAMED:] else ""
    return ", ".join(entries[:NAMED]) + more


def _usual(search: TriggerSearchConfig | None) -> TriggerSearchConfig | None:
    """The default settings, with the sizes that were computed for this model."""
    return search and TriggerSearchConfig(area=search.area, radius=search.radius)


def _sought(search: TriggerSearchConfig | None) -> str:
    if search is None:
        return "one fixed patch of few pixels or one fixed small change of every pixel"
    norm = f" (L2 norm {search.radius:g})" if search.radius is not None else ""
    area = search.area
    worth = "few pixels"
    if area is not None:
        own = search.source_specific_share * area
        worth = f"at most {area:.1%} of the pixels ({own:.1%} where it is for one class alone)"
    return f"one fixed patch worth {worth} or one fixed small change of every pixel{norm}"


def say_control(control: ControlRecord, names: Sequence[str]) -> str:
    """Say in words whether the scan found the trigger that was planted as a positive control.

    Args:
        control: the outcome of the positive control.
        names: of all classes, in label order.

    Returns:
        A few sentences.
    """
    side, into = control.trigger.get("size"), class_called(control.target, names[control.target])
    what = f"a square of {side} by {side} pixels that leads to {into} was planted in a copy of the model"
    works = f"It works on {share_of(control.lift)} the images"
    if not control.planted:
        return f"Positive control: {what}. {works}, so it is no backdoor and shows nothing."
    seen = "The same scan found it." if control.seen else "The same scan did NOT find it."
    return f"Positive control: {what}. {works}. {seen}"
