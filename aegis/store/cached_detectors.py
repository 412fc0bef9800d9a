"""Results of other detectors, each looked up before it is computed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from aegis.baselines.catalogue import BASELINES
from aegis.baselines.result import DetectorResult
from aegis.baselines.rival import Rival
from aegis.core.source import code_digest
from aegis.store.cached_steps import Keeper
from aegis.store.keys import key_of
from aegis.store.packing import Arrays

# Files that the results depend on: not those that only name detectors or word their results.
CODE = (
    *(f"baselines/{name}.py" for name in ("config", "gradients", "outliers", "result")),
    *(f"baselines/{name}.py" for name in ("mm_bd", "neural_cleanse", "neural_cleanse_pgd")),
    *("attacks/pgd.py", "core/types", "core/runtime.py", "core/graphs.py", "records/presets.py"),
    *("models/classifier.py", "models/fold.py", "models/rectify.py", "models/architectures.py"),
    *("models/anatomy.py", "models/outputs.py", "models/placement.py"),
)


@dataclass(frozen=True, eq=False)
class Detection:
    """The result of a detector.

    Args:
        result: what it found.
        seconds: time that it took when it was computed.
        found: whether it was in the store.
    """

    result: DetectorResult
    seconds: float
    found: bool


@dataclass(frozen=True, kw_only=True)
class DetectorKey:
    """Everything that a detector's result depends on.

    Args:
        name: of the detector.
        suspect: digest of the model.
        images_name, images: name of the data set, from which settings may come, and its digest.
        device, precision: that it runs with.
        seed: of every random draw.
    """

    name: str
    suspect: str
    images_name: str
    images: str
    device: str
    precision: str
    seed: int

    @classmethod
    def of(cls, rival: Rival) -> DetectorKey:
        """Describes a detector with model, images and seed."""
        suspect, images, runtime = rival.suspect, rival.images, rival.runtime()
        return cls(
            name=rival.name,
            suspect=suspect.digest,
            images_name=images.name,
            images=images.digest,
            device=runtime.device,
            precision=runtime.precision,
            seed=rival.seed,
        )

    def digest(self) -> str:
        """Computes the key of the result in the store."""
        return key_of("detector", self, BASELINES[self.name].config, code=code_digest(CODE))


def find_or_detect(store: Keeper, key: str, detect: Callable[[], DetectorResult], *, fresh: bool = False) -> Detection:
    """Returns a result from the store, or computes and keeps it.

    Args:
        store: keeps the results.
        key: of the result.
        detect: computes it.
        fresh: compute it anew.
    """
    found = None if fresh else find_detection(store, key)
    if found is not None:
        return found
    began = time.perf_counter()
    result = detect()
    seconds = time.perf_counter() - began
    store.keep(key, _pack(result) | {"seconds": np.array(seconds)})
    return Detection(result, seconds, False)


def find_detection(store: Keeper, key: str) -> Detection | None:
    """Reads a result.

    Args:
        store: where it was kept.
        key: of the result.

    Returns:
        The result; None if it is not there or cannot be read.
    """
    store.claim(key)
    arrays = store.load(key)
    try:
        return None if arrays is None else Detection(_unpack(arrays), float(arrays["seconds"]), True)
    except (KeyError, TypeError, ValueError):  # damage may also lose an array without breaking the archive
        return None


def _pack(result: DetectorResult) -> Arrays:
    values = {one.name: getattr(result, one.name) for one in fields(result)}
    return {name: np.asarray(value) for name, value in values.items() if value is not None}


def _unpack(arrays: Arrays) -> DetectorResult:
    plain: dict[str, Any] = {one.name: arrays[one.name] for one in fields(DetectorResult) if one.name != "masks"}
    plain |= {"measure": str(plain["measure"]), "cut": float(plain["cut"]), "threshold": float(plain["threshold"])}
    return DetectorResult(**plain | {"flagged": tuple(plain["flagged"].tolist()), "masks": arrays.get("masks")})
