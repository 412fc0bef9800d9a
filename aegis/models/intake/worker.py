"""Reads one untrusted checkpoint in its own process and writes plain tensors.

``python -m aegis.models.intake.worker IN OUT MEMORY SECONDS ENTRY`` writes OUT, a safetensors file of contiguous
tensors, the identity's text and the entry that was read only, or OUT.json with the reason for refusing the file.
Safetensors are read without torch.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from aegis.core.errors import CheckpointError
from aegis.models.intake.archive import COPY_AGAIN, WHAT_IS_READ, check_archive
from aegis.models.intake.confine import confine, limit_resources
from aegis.models.intake.formats import ENTRY_KEY, HEADER_LIMIT, IDENTITY_KEY, SAVE_LESS, read_header, recognise
from aegis.models.intake.quantised import check_not_quantised
from aegis.models.intake.tensor_limits import check_plain, plain_header, room_for

# Messages of torch and of the dynamic linker.
OUT_OF_MEMORY = ("can't allocate memory", "failed to map segment")

Raw = tuple[str, str, list[int], bytes | bytearray | memoryview]


def main(source: str, out: str, memory: str, seconds: str, entry: str) -> None:
    """Limits and confines this process, then reads the file.

    Args:
        source: path of the checkpoint.
        out: path of the file to write.
        memory: bytes of private memory, as text; 0 for no limit.
        seconds: seconds of processor time, as text.
        entry: which of several networks to read, as JSON; null for the only one.
    """
    limit_resources(int(memory), int(seconds), room_for(Path(source).stat().st_size) + HEADER_LIMIT)
    confine(Path(out).parent)
    answer(Path(source), Path(out), json.loads(entry))


def answer(source: Path, out: Path, entry: str | None = None) -> None:
    """Converts one file and writes any problem to OUT.json.

    Args:
        source: the checkpoint.
        out: the file to write.
        entry: which of several networks to read; None for the only one.
    """
    try:
        convert(source, out, entry)
    except CheckpointError as error:
        refusal = error
    except Exception as error:  # a hostile file may raise anything, and the user gets one message
        if isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY):
            refusal = CheckpointError(WHAT_IS_READ, "one that needs more memory than it may take", SAVE_LESS)
        else:
            brief = f"{type(error).__name__}: {error}".splitlines()[0].removesuffix(": ")[:200]
            refusal = CheckpointError(WHAT_IS_READ, f"a file that cannot be read ({brief})", COPY_AGAIN)
    else:
        return
    fields = {"expected": refusal.expected, "got": refusal.got, "advice": refusal.advice}
    Path(f"{out}.json").write_text(json.dumps(fields), encoding="utf-8")


def convert(source: Path, out: Path, entry: str | None = None) -> None:
    """Writes the tensors of a checkpoint in any supported format as safetensors.

    Args:
        source: the checkpoint.
        out: the file to write.
        entry: as in ``answer``.

    Raises:
        CheckpointError: if the file is refused.
    """
    kind = recognise(source)
    if kind == "safetensors":
        header = read_header(source) or {}
        found_there = plain_header(header)
        check_not_quantised(found_there)
        check_plain(found_there, room_for(source.stat().st_size))
        metadata = header.get("__metadata__") or {}
        # The truth is not passed on: a scan must not know whether the model has a backdoor.
        _write(out, _read_safetensors(source), {key: text for key, text in metadata.items() if key == IDENTITY_KEY})
        return
    if kind == "torch zip":
        check_archive(source)
    from aegis.models.intake.torch_files import read_torch

    found = read_torch(source, kind, entry)
    _write(
        out, found.tensors, {ENTRY_KEY: json.dumps({"name": found.entry, "others": found.others, "code": found.code})}
    )


def _read_safetensors(source: Path) -> Iterable[Raw]:
    import safetensors

    try:
        found = safetensors.deserialize(source.read_bytes())  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise CheckpointError("a whole safetensors file", str(error), COPY_AGAIN) from error
    return [(name, tensor["dtype"], tensor["shape"], tensor["data"]) for name, tensor in found]


def _write(out: Path, tensors: Iterable[Raw], metadata: dict[str, str]) -> None:
    header: dict[str, object] = {"__metadata__": metadata}
    parts, end = [], 0
    for name, dtype, shape, data in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + len(data)]}
        parts.append(data)
        end += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with out.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.writelines(parts)


if __name__ == "__main__":
    main(*sys.argv[1:])
