"""All cases: importing this makes the registries whole."""

import importlib

from tests.hostile.case import CARDS, CHECKPOINTS, PICTURES, Canary, Case, Corpus

for part in ("pickles", "inert", "tensors", "headers", "archives", "others", "pictures", "arrays"):
    importlib.import_module(f"tests.hostile.{part}")

__all__ = ["CARDS", "CHECKPOINTS", "PICTURES", "Canary", "Case", "Corpus"]
