"""Checks whether tensors fit an architecture, and explains the likeliest reason if they do not."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from aegis.core.errors import CheckpointError
from aegis.core.text import count_of, printable

CHECK_ARCHITECTURE = "Check the architecture named by --arch or the card, and its options such as width."


def check_fit(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor], channels: int, classes: int) -> None:
    """Compares a network's own tensors with those of a checkpoint by name, shape and kind of number.

    Args:
        wanted: the network's state dictionary; may be on the meta device.
        found: the checkpoint's tensors.
        channels, classes: channels and number of classes of the data that the network was built for.

    Raises:
        CheckpointError: if they differ.
    """
    # Checkpoints from before torch 0.4.1 lack these counters, and evaluation does not use them.
    missing = [name for name in wanted if name not in found and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in found if name not in wanted]
    if missing or unexpected:
        parts = [_listed("missing", missing), _listed("unexpected", unexpected)]
        raise CheckpointError(
            f"the {len(wanted)} tensors of the architecture", "; ".join(p for p in parts if p), CHECK_ARCHITECTURE
        )
    wrong = [name for name in wanted if name in found and found[name].shape != wanted[name].shape]
    if wrong:
        raise _wrong_shapes({name: (wanted[name].shape, found[name].shape) for name in wrong}, channels, classes)
    kinds = [name for name in found if found[name].is_floating_point() != wanted[name].is_floating_point()]
    if kinds:
        name = kinds[0]
        raise CheckpointError(
            f"{printable(name)} of type {_type(wanted[name])}",
            f"type {_type(found[name])}",
            "Save the weights in a floating-point type; quantised models cannot be scanned.",
        )


Shapes = tuple[tuple[int, ...], tuple[int, ...]]


def _wrong_shapes(wrong: Mapping[str, Shapes], channels: int, classes: int) -> CheckpointError:
    heads = {got[0] for want, got in wrong.values() if _differs_only_at(0, classes, want, got)}
    stems = {got[1] for want, got in wrong.values() if len(want) == 4 and _differs_only_at(1, channels, want, got)}
    explained = sum(
        _differs_only_at(0, classes, want, got) or (len(want) == 4 and _differs_only_at(1, channels, want, got))
        for want, got in wrong.values()
    )
    if explained == len(wrong) and len(heads) <= 1 and len(stems) <= 1:
        parts = [f"a final layer for {count_of(n, 'class')}" for n in heads]
        parts += [f"a first layer for {count_of(n, 'channel')}" for n in stems]
        return CheckpointError(
            f"a model for {task(classes, channels)}, as the card or the data says",
            " and ".join(parts),
            "Give --data with the images this model was trained on.",
        )
    shown = [f"{printable(n)} is {tuple(got)} instead of {tuple(want)}" for n, (want, got) in list(wrong.items())[:3]]
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return CheckpointError("tensors in the architecture's shapes", f"{', '.join(shown)}{more}", CHECK_ARCHITECTURE)


def task(classes: int, channels: int) -> str:
    """Describes what a model classifies.

    Args:
        classes: number of classes.
        channels: channels of its images.

    Returns:
        Words such as *10 classes and 3 channels*.
    """
    return f"{count_of(classes, 'class')} and {count_of(channels, 'channel')}"


def _differs_only_at(axis: int, size: int, want: tuple[int, ...], got: tuple[int, ...]) -> bool:
    if len(want) != len(got) or len(want) <= axis:
        return False
    rest = [i for i in range(len(want)) if i != axis]
    return want[axis] == size != got[axis] and all(want[i] == got[i] for i in rest)


def _listed(what: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{len(names)} {what} ({', '.join(printable(n) for n in names[:3])}{more})"


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
