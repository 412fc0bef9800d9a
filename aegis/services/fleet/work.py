"""What a worker of a fleet does: it measures a suspect, or examines some of its classes.

Message and answer are JSON and files of plain arrays. The checkpoint is read here, in the sandbox of this node.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aegis.core.errors import CheckpointError
from aegis.core.failures import explain, is_out_of_memory
from aegis.core.runtime import silent
from aegis.core.source import code_digest
from aegis.core.version import __version__
from aegis.fleet.messages import pack, unpack
from aegis.services.fleet.carried import Carried
from aegis.services.fleet.journal import Journal
from aegis.services.fleet.request import FleetScan
from aegis.services.scan import ScanRequest
from aegis.store.store import Store

if TYPE_CHECKING:
    from aegis.detect.scan import Work
    from aegis.models.load import Suspect

Answer = tuple[dict[str, Any], dict[str, bytes]]


def hello() -> str:
    """Says what runs here, which must be the same on every node."""
    return f"AEGIS {__version__} of source {code_digest()[:12]} on Python {platform.python_version()}"


def answer(message: bytes) -> bytes:
    """Does a piece of work.

    Args:
        message: packed, with what to ``do``.

    Returns:
        The answer, packed; every failure is an answer as well.
    """
    started = time.perf_counter()
    try:
        said, files = unpack(message)
        if Path(said["folder"]).is_dir():
            os.chdir(said["folder"])
        missing = [name for name in said["needs"] if not Path(name).exists()]
        if missing:
            return pack({"error": f"no {missing[0]} on {platform.node()}", "missing": missing})
        found, back = DEEDS[said["do"]](said, files)
        return pack(found | {"took": time.perf_counter() - started}, back)
    except (Exception, SystemExit) as error:  # whatever a suspect sets off must not end the scans of others
        return pack({"error": explain(error)[0], "memory": is_out_of_memory(error)})


def measure(said: dict[str, Any], files: dict[str, bytes]) -> Answer:
    """Measures a suspect, and records the scan without its classes.

    Args:
        said: with the ``scan`` and the ``run`` that it belongs to.
        files: none.

    Returns:
        Everything that the driver needs to go on without the model, and the arrays.
    """
    from aegis.detect.early import is_hopeless

    opened = _opened(said)
    request, suspect = opened.request, opened.suspect
    carried, shared = _carried(said, files)
    request.check_normalisation(suspect)
    work = _begin(request, suspect, carried)
    seen, labels = work.first_look(), list(suspect.classifier.labels)
    if seen is not None and is_hopeless(seen, len(request.images.test), work.config.verdict):
        labels, measured = [], seen
    else:
        measured, work = work.measured()
    record = work.result(measured, []).record(request.file)
    last = carried.used[-1]
    found = {
        "key": request.key(suspect),
        "labels": labels,
        "record": record.model_dump_json(),
        "measured": last,
        "arrays": list(dict.fromkeys(carried.used)),
        "device": work.first.device,
        "precision": work.first.precision,
        "digest": suspect.digest,
        "shared": shared,
    }
    return found, carried.to_send() | {last: carried.content(last)}


def examine(said: dict[str, Any], files: dict[str, bytes]) -> Answer:
    """Examines classes of a suspect that was measured.

    Args:
        said: with the ``labels``, and ``device``, ``precision`` and ``digest`` of the measurement.
        files: the arrays of the measurement.

    Returns:
        The record of each class, not judged yet, and the arrays.

    Raises:
        CheckpointError: if the file is another one now.
    """
    opened = _opened(said)
    if opened.suspect.digest != said["digest"]:
        raise CheckpointError(
            "the checkpoint that was measured", f"another one at {opened.request.checkpoint}", "Scan it again."
        )
    request = replace(opened.request, device=said["device"], precision=said["precision"])
    carried, shared = _carried(said, files)
    work = _begin(request, opened.suspect, carried)
    _, work = work.measured()
    del work.clock.seconds["assess"]
    before, classes = len(carried.used), []
    for label in said["labels"]:
        with work.clock("classes"):
            record = work.examine(label).record
        arrays, before = carried.used[before:], len(carried.used)
        classes.append({"label": label, "record": record.model_dump(mode="json"), "arrays": arrays})
    return {"classes": classes, "seconds": work.clock.seconds, "shared": shared}, carried.to_send()


DEEDS: dict[str, Callable[[dict[str, Any], dict[str, bytes]], Answer]] = {"measure": measure, "examine": examine}


@dataclass(frozen=True, eq=False)
class _Opened:
    request: ScanRequest
    suspect: Suspect


def _opened(said: dict[str, Any]) -> _Opened:
    """Loads the suspect, unless it is the one of the work before."""
    scan = FleetScan.from_json(said["scan"])
    states = [os.stat(name) for name in scan.files()]  # noqa: PTH116 - of files and folders alike
    return _load(said["scan"], json.dumps([(s.st_ino, s.st_size, s.st_mtime_ns) for s in states]))


@lru_cache(maxsize=1)
def _load(scan: str, state: str) -> _Opened:
    request = FleetScan.from_json(scan).request()
    return _Opened(request, request.load())


def _carried(said: dict[str, Any], files: dict[str, bytes]) -> tuple[Carried, bool]:
    store = Store()
    shared = Journal.knows(store.folder, said["run"])
    return Carried(store, files, shared), shared


def _begin(request: ScanRequest, suspect: Suspect, carried: Carried) -> Work:
    import torch

    from aegis.detect.scan import Work

    # Sums of several threads would be other numbers on other machines.
    torch.set_num_threads(1)
    return Work.begin(
        suspect,
        request.images,
        request.config,
        list(suspect.classifier.labels),
        request.runtime(),
        request.steps(suspect, carried),
        silent,
    )
