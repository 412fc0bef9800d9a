"""The room of models; names are imported when first used, so that reading a card needs no torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aegis.models.architectures import ARCHITECTURES as ARCHITECTURES
    from aegis.models.architectures import build as build
    from aegis.models.card import Card as Card
    from aegis.models.card import Identity as Identity
    from aegis.models.card import Truth as Truth
    from aegis.models.card import read_identity as read_identity
    from aegis.models.card import save_checkpoint as save_checkpoint
    from aegis.models.classifier import Classifier as Classifier
    from aegis.models.load import Suspect as Suspect
    from aegis.models.load import load_checkpoint as load_checkpoint

_HOMES = {
    "ARCHITECTURES": "architectures",
    "build": "architectures",
    "Card": "card",
    "Identity": "card",
    "Truth": "card",
    "read_identity": "card",
    "save_checkpoint": "card",
    "Classifier": "classifier",
    "Suspect": "load",
    "load_checkpoint": "load",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
