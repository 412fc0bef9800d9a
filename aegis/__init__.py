"""AEGIS: does an adversarially robust image classifier hide a backdoor, in which class, with which trigger?

The public names are imported when they are first used, so that ``import aegis`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from aegis.core.version import __version__

if TYPE_CHECKING:
    from aegis.core.errors import AegisError as AegisError
    from aegis.core.runtime import choose_runtime as choose_runtime
    from aegis.core.types import Dataset as Dataset
    from aegis.core.types import LabelledImages as LabelledImages
    from aegis.data import load_dataset as load_dataset
    from aegis.detect.scan import ScanResult as ScanResult
    from aegis.detect.scan import scan as scan
    from aegis.models.classifier import Classifier as Classifier
    from aegis.models.load import Suspect as Suspect
    from aegis.models.load import load_checkpoint as load_checkpoint
    from aegis.records.config import ScanConfig as ScanConfig
    from aegis.records.presets import adjusted as adjusted
    from aegis.records.presets import preset as preset

_HOMES = {
    "load_dataset": "aegis.data",
    "ScanConfig": "aegis.records.config",
    "adjusted": "aegis.records.presets",
    "preset": "aegis.records.presets",
    "ScanResult": "aegis.detect.scan",
    "scan": "aegis.detect.scan",
    "AegisError": "aegis.core.errors",
    "Classifier": "aegis.models.classifier",
    "Suspect": "aegis.models.load",
    "load_checkpoint": "aegis.models.load",
    "choose_runtime": "aegis.core.runtime",
    "Dataset": "aegis.core.types",
    "LabelledImages": "aegis.core.types",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'aegis' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
