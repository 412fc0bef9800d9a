"""The costly steps of a scan, each looked up before it is computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np

from aegis.core.runtime import Event, Report, Runtime, silent
from aegis.core.types import Applicability, Dataset, Embedding, Evidence, Finding
from aegis.detect.cluster import judge
from aegis.detect.steps import Steps
from aegis.records.config import AssessConfig, EmbedConfig, GatherConfig
from aegis.records.record import ScanRecord, config_of
from aegis.store.keys import StepKeys
from aegis.store.packing import Arrays, pack_applicability, pack_evidence, unpack_applicability, unpack_evidence

T = TypeVar("T")


@runtime_checkable
class Keeper(Protocol):
    """Keeps arrays by key, as the store does."""

    def claim(self, key: str) -> None:
        """Protects the arrays of a key from removal while the task runs."""

    def load(self, key: str) -> Arrays | None:
        """Reads the arrays of a key.

        Returns:
            None if there are none that can be read.
        """

    def keep(self, key: str, arrays: Arrays) -> None:
        """Writes arrays to a file that is either complete or not there."""


def stored(steps: Steps, store: Keeper, suspect: str, images: str, runtime: Runtime) -> Steps:
    """Wraps the costly steps of a scan so that each is looked up before it is computed.

    Args:
        steps: compute the results.
        store: keeps the results, and learns which of them the scan uses.
        suspect: digest of the model.
        images: digest of the data set.
        runtime: results depend on its device and precision.

    Returns:
        Steps with the same arguments and results.
    """
    keys = StepKeys(suspect, images, runtime.device, runtime.precision)

    def assess(classifier: object, data: Dataset, config: AssessConfig, *, report: Report = silent) -> Applicability:
        def compute() -> Applicability:
            return steps.assess(classifier, data, config, report=report)

        return _once(store, keys.assess(config), compute, pack_applicability, unpack_applicability)

    def look(classifier: object, data: Dataset, config: AssessConfig, *, report: Report = silent) -> Applicability:
        def compute() -> Applicability:
            return steps.look(classifier, data, config, report=report)

        return _once(store, keys.look(config), compute, pack_applicability, unpack_applicability)

    def screen(classifier: object, data: Dataset, *, report: Report = silent) -> tuple[float, ...]:
        def compute() -> tuple[float, ...]:
            return steps.screen(classifier, data, report=report)

        return _once(
            store,
            keys.screen(),
            compute,
            lambda sizes: {"sizes": np.array(sizes)},
            lambda arrays: tuple(arrays["sizes"].tolist()),
        )

    def gather(
        classifier: object, data: Dataset | None, label: int, config: GatherConfig, *, report: Report = silent
    ) -> Evidence:
        def compute() -> Evidence:
            return steps.gather(classifier, data, label, config, report=report)

        return _once(store, keys.gather(label, config), compute, pack_evidence, unpack_evidence)

    def embed(evidence: Evidence, config: EmbedConfig, *, report: Report = silent) -> tuple[Embedding, ...]:
        def compute() -> tuple[Embedding, ...]:
            return steps.embed(evidence, config, report=report)

        def pack(planes: tuple[Embedding, ...]) -> Arrays:
            return {"points": np.stack([plane.points for plane in planes])}

        planes = _once(store, keys.embed(evidence, config), compute, pack, _planes_of(evidence))
        # What was found reports nothing on the way, and would be missing from the progress of the whole.
        report(Event(stage="embed", label=evidence.label, step=1, total=1))
        return planes

    return Steps(assess, gather, embed, look, screen)


def find_class(store: Keeper, record: ScanRecord, label: int) -> Finding | None:
    """Reads the results of one class of a saved scan, without model and images.

    They are looked up under the source that the scan ran with, so that a newer version still shows them.

    Args:
        store: where the scan kept them.
        record: the scan.
        label: the class.

    Returns:
        None if the store no longer has them.

    Raises:
        StoreError: if the record's settings are of another version.
    """
    config, ran = config_of(record), record.runtime
    keys = StepKeys(record.model.digest, record.data.digest, ran.device, ran.precision, record.source.code)
    evidence = _find(store, keys.gather(label, config.gather), unpack_evidence)
    if evidence is None:
        return None
    planes = _find(store, keys.embed(evidence, config.embed), _planes_of(evidence))
    return None if planes is None else judge(evidence, planes, config.judge)


def _once(
    store: Keeper, key: str, compute: Callable[[], T], pack: Callable[[T], Arrays], unpack: Callable[[Arrays], T]
) -> T:
    store.claim(key)
    found = _find(store, key, unpack)
    if found is not None:
        return found
    result = compute()
    store.keep(key, pack(result))
    return result


def _find(store: Keeper, key: str, unpack: Callable[[Arrays], T]) -> T | None:
    arrays = store.load(key)
    try:
        return None if arrays is None else unpack(arrays)
    except (KeyError, TypeError, ValueError):  # damage may also lose an array without breaking the archive
        return None


def _planes_of(evidence: Evidence) -> Callable[[Arrays], tuple[Embedding, ...]]:
    def unpack(arrays: Arrays) -> tuple[Embedding, ...]:
        planes = zip(arrays["points"], evidence.budgets, strict=True)
        return tuple(Embedding(points, evidence.is_translated, budget) for points, budget in planes)

    return unpack
