"""What was computed, found again by content.

A key is the SHA-256 of everything a result depends on: the model's and the data's digests, the class, the
step's own settings, device and precision, and the code itself. Arrays lie in npz files named by their key;
an sqlite index holds the records of finished scans and what analysts add to them. Files appear whole or not at all.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NoReturn, TypeVar

import numpy as np
from pydantic import ValidationError

from aegis.detect.config import AssessConfig, EmbedConfig, GatherConfig, ScanConfig
from aegis.detect.judge import judge
from aegis.detect.record import ScanRecord, config_of
from aegis.detect.steps import Steps
from aegis.errors import StoreError
from aegis.files import whole_file
from aegis.index import make_index, open_index
from aegis.packing import Arrays, pack_applicability, pack_evidence, unpack_applicability, unpack_evidence
from aegis.review import Review, read_review
from aegis.runtime import Event, Report, Runtime, silent
from aegis.types import Applicability, Dataset, Embedding, Evidence, Finding, digest_of

# What the costly steps depend on; a change in any other file leaves their results valid.
STEPS_CODE = (
    *("types.py", "runtime.py", "evaluate.py", "pgd.py", "packing.py", "store.py"),
    *("models/classifier.py", "models/architectures.py", "detect/assess.py", "detect/gather.py", "detect/embed.py"),
    *("detect/universal.py", "detect/translate.py", "detect/features.py"),
    *("detect/transplant.py", "detect/starts.py", "detect/stamps.py", "detect/prune.py"),
)
# What a whole scan depends on: also how classes are judged.
CODE = (*STEPS_CODE, "detect")

T = TypeVar("T")


def default_folder() -> Path:
    """Where results are kept: ``AEGIS_STORE``, else ``aegis`` in the user's cache folder."""
    if os.environ.get("AEGIS_STORE"):
        return Path(os.environ["AEGIS_STORE"]).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "aegis"


def key_of(*parts: object, code: tuple[str, ...] = CODE) -> str:
    """SHA-256 over plain values, settings and the source files that the result depends on, in hex."""
    plain = [dataclasses.asdict(p) if dataclasses.is_dataclass(p) and not isinstance(p, type) else p for p in parts]
    # 3 and 3.0 are one setting, and one that was read from a record is a float.
    same = json.loads(json.dumps([code_digest(code), *plain]), parse_int=_number)
    return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()


def scan_key(
    file: str,
    model: object,
    images: Dataset,
    config: ScanConfig,
    labels: tuple[int, ...] | None,
    device: str,
    precision: str,
) -> str:
    """The key of a whole scan, so that whoever asks for the same one finds it, torch or no torch.

    Args:
        file: the checkpoint's name, which is part of the record.
        model: what tells the model: its file's digest with the normalisation asked for, or its own digest.
        images: what it is scanned with.
        config: settings as they were asked for.
        labels: the classes asked for, or None for all.
        device, precision: as they were asked for, since ``auto`` is only resolved where torch is at hand.
    """
    return key_of("scan", file, model, images.name, images.digest, config, labels, device, precision)


def _number(digits: str) -> float | str:
    exact = abs(int(digits)) < 2**53
    return float(digits) if exact else digits


@cache
def code_digest(code: tuple[str, ...] = CODE) -> str:
    """SHA-256 over source files, in hex."""
    room = Path(__file__).parent
    sha = hashlib.sha256()
    for part in code:
        path = room / part
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            sha.update(file.read_bytes())
    return sha.hexdigest()


class Store:
    """Results in one folder.

    Args:
        folder: made if it is missing.

    Raises:
        StoreError: if the folder cannot be used.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()
        self._index = self.folder / "index.sqlite"
        with self._guard():
            (self.folder / "arrays").mkdir(parents=True, exist_ok=True)
            make_index(self._index)

    def find_scan(self, key: str) -> ScanRecord | None:
        """The record of a finished scan, or None."""
        with self._guard(), open_index(self._index) as index:
            row = index.execute("SELECT record FROM scans WHERE key = ?", (key,)).fetchone()
        return _record(row[0]) if row else None

    def keep_scan(self, key: str, record: ScanRecord) -> None:
        """Remember a finished scan; one of the same key is replaced."""
        row = (key, record.created, record.model.sha256, record.verdict, record.model_dump_json())
        with self._guard(), open_index(self._index) as index:
            index.execute("INSERT OR REPLACE INTO scans VALUES (?, ?, ?, ?, ?)", row)

    def scans(self, limit: int = 20) -> list[tuple[str, ScanRecord]]:
        """Keys and records of the latest scans, newest first; what another version wrote is left out."""
        with self._guard(), open_index(self._index) as index:
            rows = index.execute("SELECT key, record FROM scans ORDER BY created DESC LIMIT ?", (limit,)).fetchall()
        records = [(key, _record(text)) for key, text in rows]
        return [(key, record) for key, record in records if record is not None]

    def find_review(self, key: str) -> Review | None:
        """What the analyst added to the scan of a key, or None; damaged text is as good as none."""
        with self._guard(), open_index(self._index) as index:
            # As bytes, since text that is no text would stop the reader.
            row = index.execute("SELECT CAST(review AS BLOB) FROM reviews WHERE key = ?", (key,)).fetchone()
        return read_review(row[0]) if row else None

    def keep_review(self, key: str, review: Review) -> None:
        """Remember what the analyst adds to the scan of a key, in place of what was there."""
        with self._guard(), open_index(self._index) as index:
            index.execute("INSERT OR REPLACE INTO reviews VALUES (?, ?)", (key, review.to_json()))

    def load(self, key: str) -> Arrays | None:
        """The arrays of a key; None if there are none or their file is damaged."""
        try:
            # Opened here, since numpy leaves a file that it cannot read open.
            with self._path(key).open("rb") as whole, np.load(whole, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except Exception:  # damaged bytes make the readers of zip files and arrays raise almost anything
            return None

    def keep(self, key: str, arrays: Arrays) -> None:
        """Write arrays under a key, whole or not at all.

        Raises:
            StoreError: if they cannot be written; nothing is left behind.
        """
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        with self._guard(), whole_file(self._path(key)) as file:
            file.write(buffer.getbuffer())

    def _path(self, key: str) -> Path:
        return self.folder / "arrays" / f"{key}.npz"

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"to keep results in {self.folder}",
                str(error),
                "Free some space, or set AEGIS_STORE to a folder that can be written to.",
            ) from error


def _record(text: str) -> ScanRecord | None:
    try:
        return ScanRecord.model_validate_json(text)
    except ValidationError:
        return None


def stored(steps: Steps, store: Store, suspect: str, images: str, runtime: Runtime) -> Steps:
    """The costly steps of a scan, each looked up before it is computed.

    Args:
        steps: what computes them.
        store: where results are kept.
        suspect: digest of the model; its file's alone would confuse one file read as two architectures.
        images: digest of the data set.
        runtime: results depend on its device and precision.
    """
    on = (suspect, images, runtime.device, runtime.precision)

    def assess(classifier: object, data: Dataset, config: AssessConfig, *, report: Report = silent) -> Applicability:
        def compute() -> Applicability:
            return steps.assess(classifier, data, config, report=report)

        return _once(
            store, key_of("assess", on, config, code=STEPS_CODE), compute, pack_applicability, unpack_applicability
        )

    def gather(
        classifier: object, data: Dataset | None, label: int, config: GatherConfig, *, report: Report = silent
    ) -> Evidence:
        def compute() -> Evidence:
            return steps.gather(classifier, data, label, config, report=report)

        return _once(
            store, key_of("gather", on, label, config, code=STEPS_CODE), compute, pack_evidence, unpack_evidence
        )

    def embed(evidence: Evidence, config: EmbedConfig, *, report: Report = silent) -> tuple[Embedding, ...]:
        def compute() -> tuple[Embedding, ...]:
            return steps.embed(evidence, config, report=report)

        def unpack(arrays: Arrays) -> tuple[Embedding, ...]:
            planes = zip(arrays["points"], evidence.budgets, strict=True)
            return tuple(Embedding(points, evidence.is_translated, budget) for points, budget in planes)

        key = key_of("embed", digest_of(evidence.features), len(evidence.train_index), config, code=STEPS_CODE)
        planes = _once(store, key, compute, lambda planes: {"points": np.stack([e.points for e in planes])}, unpack)
        # What was found reports nothing on the way, and would be missing from the progress of the whole.
        report(Event(stage="embed", label=evidence.label, step=1, total=1))
        return planes

    return Steps(assess, gather, embed)


def find_class(store: Store, record: ScanRecord, label: int) -> Finding | None:
    """One class of a finished scan with its evidence, without model and images; None if the store has lost it.

    Args:
        store: where the scan kept it.
        record: the scan.
        label: the class.

    Raises:
        StoreError: if the record is of another version.
    """
    config = config_of(record)
    runtime = Runtime(device=record.runtime.device, precision=record.runtime.precision)
    steps = stored(Steps(_lost, _lost, _lost), store, record.model.digest, record.data.digest, runtime)
    try:
        evidence = steps.gather(None, None, label, config.gather)
        return judge(evidence, steps.embed(evidence, config.embed), config.judge)
    except _Lost:
        return None


class _Lost(Exception):
    """What was looked for would have to be computed."""


def _lost(*_: object, **__: object) -> NoReturn:
    raise _Lost


def _once(
    store: Store, key: str, compute: Callable[[], T], pack: Callable[[T], Arrays], unpack: Callable[[Arrays], T]
) -> T:
    arrays = store.load(key)
    if arrays is not None:
        # Damage may also lose an array without breaking the archive.
        with suppress(KeyError, TypeError, ValueError):
            return unpack(arrays)
    result = compute()
    store.keep(key, pack(result))
    return result
