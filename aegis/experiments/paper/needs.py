"""The runs that each table and figure is made from; what is not here is made from presets, checkpoints or one scan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from aegis.experiments.paper.models import DATA, INVISIBLE, ROBUST, VISIBLE, Key, name_of, robust_models

Kind = Literal["training", "scan", "sweep", "detector"]
Scale = Literal["smoke", "small", "paper"]


@dataclass(frozen=True, kw_only=True)
class Need:
    """Runs of one kind.

    Args:
        kind: a training, a scan, a sweep of settings, or another detector.
        names: of the suspects in the bank.
        by: the preset of a scan, or which detector; empty for the others.
        seeds: number of scans of each suspect.
    """

    kind: Kind
    names: tuple[str, ...]
    by: str = ""
    seeds: int = 1


def _scans(preset: str, models: Iterable[Key], seeds: int = 1) -> Need:
    return Need(kind="scan", by=preset, names=tuple(name_of(True, *key) for key in models), seeds=seeds)


def _detectors(models: Iterable[Key], *by: str) -> tuple[Need, ...]:
    keys = list(models)
    names = tuple(name_of(robust, *key) for robust in (False, True) for key in keys)
    return tuple(Need(kind="detector", by=one, names=names) for one in by)


# The paper repeats visible triggers five times (Table 7), and so are ours.
REPEATS = 5
_CLEAN = robust_models("clean")
_TRAININGS = (Need(kind="training", names=tuple(name_of(robust, *key) for robust in (True, False) for key in ROBUST)),)
_DEFAULT = _scans("default", ROBUST, REPEATS)
_VISIBLE = _scans("paper", robust_models(*VISIBLE), REPEATS)
_INVISIBLE = _scans("paper", robust_models(*INVISIBLE))
_SWEEPS = (Need(kind="sweep", names=tuple(name_of(True, *key) for key in robust_models(*VISIBLE))),)
_PAPER = (_VISIBLE, _INVISIBLE, _scans("paper", _CLEAN))

TABLES: Mapping[str, tuple[Need, ...]] = {
    "4": _TRAININGS,
    "5": _TRAININGS,
    "6": (_DEFAULT, *_PAPER),
    "7": (*_SWEEPS, _VISIBLE, _scans("default", robust_models(*VISIBLE), REPEATS)),
    "8": (_VISIBLE, _INVISIBLE),
    "11": (_scans("default", robust_models(*VISIBLE, "clean"), REPEATS), _VISIBLE, _scans("paper", _CLEAN)),
    "12": (_scans("default", robust_models(*INVISIBLE), REPEATS), _INVISIBLE),
    "findings": (
        *_TRAININGS,
        _DEFAULT,
        *_PAPER,
        *_detectors(((data, "localised") for data in DATA), "nc", "nc-pgd"),
        *_SWEEPS,
    ),
    # Of the evaluation half, what is recorded is shown, and nothing is run.
    "detectors": (
        _scans("default", ROBUST),
        Need(kind="scan", by="default", names=tuple(name_of(False, *key) for key in ROBUST)),
        *_detectors(ROBUST, "nc", "nc-pgd", "mmbd"),
    ),
}
FIGURES: Mapping[str, tuple[Need, ...]] = dict.fromkeys(
    ("12", "17"), _detectors([("cifar10", "localised")], "nc", "nc-pgd")
)
