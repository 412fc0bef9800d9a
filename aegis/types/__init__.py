"""The contracts between the steps: frozen, shape-annotated, numpy only."""

from aegis.types.attacks import Norm, Stage
from aegis.types.findings import Applicability, Clusters, Embedding, Evidence, Finding, VerdictName
from aegis.types.images import Dataset, LabelledImages, Labels, Pixels, digest_of
from aegis.types.triggers import FAMILIES, Family, Goal, Stamp, Transplant

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
