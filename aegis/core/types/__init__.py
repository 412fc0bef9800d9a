"""The types that steps pass on: frozen dataclasses of numpy arrays with annotated shapes."""

from aegis.core.types.attacks import Norm, Stage
from aegis.core.types.findings import Applicability, Clusters, Embedding, Evidence, Finding, VerdictName
from aegis.core.types.images import Dataset, LabelledImages, Labels, Pixels, as_8_bit, as_pixels, digest_of
from aegis.core.types.triggers import FAMILIES, CandidateTrigger, Family, Goal, Stamp

__all__ = [
    "FAMILIES",
    "Applicability",
    "CandidateTrigger",
    "Clusters",
    "Dataset",
    "Embedding",
    "Evidence",
    "Family",
    "Finding",
    "Goal",
    "LabelledImages",
    "Labels",
    "Norm",
    "Pixels",
    "Stage",
    "Stamp",
    "VerdictName",
    "as_8_bit",
    "as_pixels",
    "digest_of",
]
