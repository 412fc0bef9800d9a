"""What can be shown, in a few words each; no Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping

from aegis.experiments.paper.catalogue import FIGURES, TABLES

FINDINGS = "findings"
_TABLES: Mapping[str, str] = {
    "3": "data sets and networks",
    "4": "training times",
    "5": "attack success and accuracy",
    "6": "which models are detected",
    "7": "sensitivity to settings",
    "8": "times of scans",
    "9": "settings of the training",
    "10": "settings of the detection",
    "11": "clusters, visible triggers",
    "12": "clusters, invisible triggers",
}
_FIGURES: Mapping[str, str] = {
    "3": "translated images",
    "4": "features of a class",
    "5": "features of a class",
    "6": "clusters of a class",
    "7": "images of each cluster",
    "9": "visible triggers",
    "10": "static triggers",
    "11": "adversarial triggers",
    "12": "what Neural Cleanse says",
    "13": "features and clusters",
    "14": "features and clusters",
    "15": "features and clusters",
    "16": "translated images alone",
    "17": "sizes of its triggers",
}
# By the name in the address.
NAMES: Mapping[str, str] = {
    FINDINGS: "Findings, one by one",
    "detectors": "Detectors side by side",
    **{f"table-{number}": f"Table {number}: {_TABLES[number]}" for number in TABLES if number.isdigit()},
    **{f"figure-{number}": f"Figure {number}: {_FIGURES[number]}" for number in FIGURES},
}
