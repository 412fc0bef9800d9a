"""All cases: importing this makes the registries whole."""

import importlib

from tests.hostile.case import CARDS, CHECKPOINTS, PICTURES, Case

for part in ("pickles", "headers", "archives", "others", "pictures"):
    importlib.import_module(f"tests.hostile.{part}")


def cases(registry) -> dict[str, Case]:
    """Of one registry, by name."""
    return registry.cases


__all__ = ["CARDS", "CHECKPOINTS", "PICTURES", "Case", "cases"]
