"""The contracts between the steps: frozen, shape-annotated, numpy only."""

from aegis.core.types.attacks import Norm, Stage
from aegis.core.types.findings import Applicability, Clusters, Embedding, Evidence, Finding, VerdictName
from aegis.core.types.images import Dataset, LabelledImages, Labels, Pixels, digest_of
from aegis.core.types.triggers import FAMILIES, Family, Goal, Stamp, Transplant

__all__ = [
    "FAMILIES",
    "Applicability",
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
    "Transplant",
    "VerdictName",
    "digest_of",
]
