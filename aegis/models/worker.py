"""Reads one untrusted checkpoint in a process of its own and hands back plain tensors.

``python -m aegis.models.worker IN OUT [BYTES]`` writes OUT, a safetensors file with nothing in it but contiguous
tensors and the identity's text, or OUT.json with what was wrong. For safetensors no torch is imported.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aegis.errors import CheckpointError
from aegis.models.formats import (
    COPY_AGAIN,
    FILE_LIMIT,
    IDENTITY_KEY,
    SAVE_LESS,
    SAVE_PLAINLY,
    WHAT_IS_READ,
    Format,
    read_header,
    recognise,
)

if TYPE_CHECKING:
    import torch

NESTED = ("state_dict", "model_state_dict", "model")
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}
# As torch and the dynamic linker say it.
OUT_OF_MEMORY = ("can't allocate memory", "failed to map segment")
# Far above what networks need, far below what would keep a reader busy.
TENSOR_LIMIT = 100_000
SECONDS_LIMIT = 600

Raw = tuple[str, str, list[int], bytes | bytearray | memoryview]


def main(source: str, out: str, memory: str = "0") -> None:
    """Convert one file; whatever goes wrong becomes an entry in OUT.json."""
    _limit_resources(int(memory))
    try:
        convert(Path(source), Path(out))
    except CheckpointError as error:
        refusal = error
    except Exception as error:  # a hostile file may provoke anything, and the answer is always one message
        if isinstance(error, MemoryError) or any(words in str(error) for words in OUT_OF_MEMORY):
            refusal = CheckpointError(WHAT_IS_READ, "one that needs more memory than it may take", SAVE_LESS)
        else:
            refusal = CheckpointError(WHAT_IS_READ, f"a file that cannot be read ({_brief(error)})", COPY_AGAIN)
    else:
        return
    fields = {"expected": refusal.expected, "got": refusal.got[:2000], "advice": refusal.advice}
    Path(f"{out}.json").write_text(json.dumps(fields), encoding="utf-8")


def convert(source: Path, out: Path) -> None:
    """Write the tensors of a checkpoint in any readable format to ``out``.

    Raises:
        CheckpointError: if the file is refused.
    """
    kind = recognise(source)
    tensors = _read_safetensors(source) if kind == "safetensors" else _read_torch(source, kind)
    if not 0 < len(tensors) <= TENSOR_LIMIT:
        raise CheckpointError(f"1 to {TENSOR_LIMIT} tensors", f"{len(tensors)}", SAVE_PLAINLY)
    # The truth stays behind: a scan must find what it finds without it.
    metadata = (read_header(source) or {}).get("__metadata__") or {}
    _write(out, tensors, {key: text for key, text in metadata.items() if key == IDENTITY_KEY})


def _read_safetensors(source: Path) -> list[Raw]:
    import safetensors

    try:
        found: list[tuple[str, dict[str, Any]]] = safetensors.deserialize(source.read_bytes())  # type: ignore[no-untyped-call]
    except safetensors.SafetensorError as error:
        raise CheckpointError("a whole safetensors file", str(error), COPY_AGAIN) from error
    for name, tensor in found:
        if tensor["dtype"] not in DTYPES:
            raise CheckpointError(
                f"tensors of type {', '.join(DTYPES)}", f"{tensor['dtype']} in {name[:200]}", "Convert it to F32."
            )
    return [(name, tensor["dtype"], tensor["shape"], tensor["data"]) for name, tensor in found]


def _read_torch(source: Path, kind: Format) -> list[Raw]:
    import pickle
    import warnings

    import torch

    try:
        # An open file, since torch would go by the name's ending.
        with source.open("rb") as file, warnings.catch_warnings(action="ignore"):
            content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refuse_pickle(source, kind) from error
    state = _state_dict(content)
    codes = {getattr(torch, name): code for code, name in DTYPES.items()}
    if sum(tensor.numel() * tensor.element_size() for tensor in state.values()) > FILE_LIMIT:
        raise MemoryError
    return [(name, *_raw(name, tensor, codes)) for name, tensor in state.items()]


def _raw(name: str, tensor: torch.Tensor, codes: Mapping[Any, str]) -> tuple[str, list[int], memoryview]:
    import torch

    if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.dtype not in codes:
        found = f"{tensor.dtype}, {tensor.layout}, {tensor.device.type} in {name[:200]}"
        raise CheckpointError(f"dense tensors of type {', '.join(codes.values())}", found, SAVE_PLAINLY)
    flat = tensor.detach().contiguous().reshape(-1).view(torch.uint8)
    return codes[tensor.dtype], list(tensor.shape), flat.numpy().data


def _state_dict(content: object) -> dict[str, torch.Tensor]:
    import torch

    if not isinstance(content, Mapping):
        raise CheckpointError("a dictionary of tensors", f"a {type(content).__name__}", SAVE_PLAINLY)
    inner = [content[key] for key in NESTED if isinstance(content.get(key), Mapping)]
    state: Mapping[Any, Any] = inner[0] if inner else content
    others = [f"{k!s:.80} ({type(v).__name__})" for k, v in state.items() if not isinstance(v, torch.Tensor)]
    others += [f"{k!r:.80} (as a name)" for k in state if not isinstance(k, str) or k == "__metadata__"]
    if others:
        where = f"a flat dictionary of tensors, or one under {', '.join(NESTED)}"
        raise CheckpointError(where, f"other entries too: {', '.join(others[:3])}", SAVE_PLAINLY)
    return dict(state)


def _refuse_pickle(source: Path, kind: Format) -> CheckpointError:
    names = sorted(_unsafe_globals(source, kind))
    if not names:
        return CheckpointError(WHAT_IS_READ, "a pickle of something else, or a damaged one", SAVE_PLAINLY)
    whole = any(".nn." in name or name.startswith("__main__.") for name in names)
    what = "a whole pickled model, which is code" if whole else "a pickle that runs code"
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return CheckpointError(WHAT_IS_READ, f"{what}: {shown}. Nothing of it was run", SAVE_PLAINLY)


def _unsafe_globals(source: Path, kind: Format) -> set[str]:
    """What the file would import, by name: for the message only, since no scan of a pickle is a gate."""
    import torch

    find = getattr(torch.serialization, "get_unsafe_globals_in_checkpoint", None)
    try:
        if kind == "torch zip" and find is not None:
            return set(find(source))
        if kind == "torch pickle":
            return _globals_in_stream(source)
    except Exception:  # the refusal stands without the names
        return set()
    return set()


def _globals_in_stream(source: Path) -> set[str]:
    """The globals named in a run of pickles, as torch's older format is."""
    import pickletools

    names: set[str] = set()
    with source.open("rb") as file:
        try:
            while True:
                texts: list[str] = []
                for opcode, argument, _ in pickletools.genops(file):
                    if isinstance(argument, str):
                        texts.append(argument)
                    if opcode.name == "GLOBAL":
                        names.add(str(argument).replace(" ", "."))
                    elif opcode.name == "STACK_GLOBAL":
                        names.add(".".join(texts[-2:]))
        except ValueError:  # raw tensor data follows the last pickle
            pass
    return {name for name in names if not _is_plain(name)}


def _is_plain(name: str) -> bool:
    return (
        name in ("collections.OrderedDict", "torch.Size")
        or name.startswith(("torch._utils._rebuild_", "torch.storage"))
        or (name.startswith("torch.") and name.endswith("Storage"))
    )


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


def _limit_resources(memory: int) -> None:
    # Set here and not between fork and exec, where Python code may hang in a parent that has threads.
    try:
        import resource
    except ImportError:  # Windows has no such limits; the time limit still holds
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_LIMIT, SECONDS_LIMIT))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * FILE_LIMIT, 2 * FILE_LIMIT))
    if memory:
        # Not RLIMIT_AS: torch built for CUDA reserves gigabytes of addresses that it never touches.
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


if __name__ == "__main__":
    main(*sys.argv[1:])
