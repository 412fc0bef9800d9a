"""Figures 12 and 17: what Neural Cleanse says of each class of a standard and a robust model (RQ3)."""

from __future__ import annotations

from aegis.core.errors import StoreError
from aegis.experiments.paper.figure import Bars, Figure
from aegis.experiments.paper.findings_detection import TITLES
from aegis.experiments.paper.models import TARGET, name_of
from aegis.experiments.paper.records import Records
from aegis.experiments.paper.table import not_recorded
from aegis.records.detectors import DetectorRecord

MODELS = {name_of(robust, "cifar10", "localised"): robust for robust in (False, True)}
FIGURES = {"12": "Anomaly index of each class", "17": "Size of the trigger that was reverse engineered for each class"}


def figure(number: str, records: Records) -> Figure:
    """Makes Figure 12 or 17, of the models with a localised trigger on CIFAR-10.

    Args:
        number: of the figure.
        records: what is recorded.

    Returns:
        The figure.

    Raises:
        StoreError: if a record is damaged, or none is there.
    """
    outcomes = {detector: records.rivals(detector, MODELS) for detector in TITLES}
    panels = tuple(
        panel(number, found[name], robust)
        for found in outcomes.values()
        for name, robust in MODELS.items()
        if name in found
    )
    if not panels:
        command = f"aegis bank rivals --only {','.join(MODELS)} --with {','.join(TITLES)}"
        raise StoreError(f"outcomes of Neural Cleanse for Figure {number}", "none", f"Record them with: {command}")
    missing = (f"{TITLES[d]} on {name}" for d, found in outcomes.items() for name in MODELS if name not in found)
    return Figure(number, FIGURES[number], panels, remarks=not_recorded(missing))


def panel(number: str, found: DetectorRecord, robust: bool) -> Bars:
    """Makes the bars of one model.

    Args:
        number: *12* for anomaly indices, *17* for sizes.
        found: what the detector says.
        robust: whether the model was trained adversarially.

    Returns:
        The bars.
    """
    title = f"{found.title}, {'robust' if robust else 'standard'} model"
    if number == "12":
        return Bars(title, found.values, found.measure, TARGET, found.cut)
    return Bars(title, found.scores, found.statistic, TARGET)
