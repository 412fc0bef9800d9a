"""A device that pretends to be a GPU: its tensors hold values of the processor, and it refuses what a GPU refuses.

Work that mixes devices raises, as CUDA would. Operations and waits (values that the processor reads) are counted.
Torch takes such a device only once a process, before the first backward pass, so that whoever uses it needs a process
of its own.
"""

from __future__ import annotations

from collections import Counter

import torch
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _DummyBackendModule, _setup_privateuseone_for_python_backend

NAME = "pretended"
CPU = torch.device("cpu")
ATEN = torch.ops.aten
# CUDA takes positions that lie in the processor's memory.
INDEXING = {ATEN.index.Tensor, ATEN.index_put.default, ATEN.index_put_.default, ATEN._index_put_impl_.default}
COPYING = {ATEN._to_copy.default, ATEN.copy_.default}
# What only looks at a tensor in another way launches nothing.
VIEWS = ("view", "detach", "expand", "slice", "select", "t", "transpose", "permute", "unsqueeze", "squeeze", "alias")

counted: Counter[str] = Counter()


class Pretended(torch.Tensor):
    """A tensor on the pretended device."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> Pretended:
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=f"{NAME}:0",
        )
        made.held = held
        return made

    def tolist(self) -> object:
        """Reads the values, for which the processor waits."""
        counted["waits"] += 1
        return self.held.tolist()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        asked = kwargs.pop("device", None)
        tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
        ours = [one for one in tensors if isinstance(one, cls)]
        _refuse_mixing(func, tensors, len(ours))
        here = bool(ours) if asked is None else torch.device(asked).type == NAME
        if func is ATEN.copy_.default:
            here = isinstance(args[0], cls)
        _count(func, bool(ours), here)
        plain_args, plain_kwargs = tree_map_only(cls, lambda one: one.held, (args, kwargs))
        if asked is not None:
            plain_kwargs["device"] = CPU
        found = func(*plain_args, **plain_kwargs)
        # Work in place gives back the tensor that it was given.
        same = {id(one.held): one for one in ours} if func._schema.is_mutable else {}
        return tree_map_only(torch.Tensor, lambda one: same.get(id(one), cls(one) if here else one), found)


def _refuse_mixing(func, tensors, ours: int) -> None:
    if ours in (0, len(tensors)) or func in COPYING:
        return
    strangers = [one for one in tensors if not isinstance(one, Pretended)]
    positions = func in INDEXING and isinstance(tensors[0], Pretended)
    if any(one.ndim for one in strangers) and not positions:
        where = [(tuple(one.shape), one.device.type) for one in tensors]
        raise RuntimeError(f"expected all tensors on the same device, but {func} got {where}")


def _count(func, ours: bool, here: bool) -> None:
    name = func._schema.name.removeprefix("aten::")
    if func is ATEN._local_scalar_dense.default or (func in COPYING and ours and not here):
        counted["waits"] += 1
    elif here and name.strip("_") not in VIEWS:
        counted["operations"] += 1


class _Backend(_DummyBackendModule):
    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16]


def _copy_from(source: torch.Tensor, target: Pretended, non_blocking: bool = False) -> Pretended:
    target.held.copy_(source)
    return target


def install() -> list[object]:
    """Makes the device known to torch.

    Returns:
        What must be kept as long as the device is used.
    """
    _setup_privateuseone_for_python_backend(NAME, _Backend())
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    torch.inference_mode = lambda mode=True: torch.no_grad() if mode else torch.enable_grad()
    kernels, autocast = torch.library.Library("aten", "IMPL"), torch.library.Library("_", "IMPL", "AutocastPrivateUse1")
    for name, make in (
        ("empty.memory_format", ATEN.empty.memory_format),
        ("empty_strided", ATEN.empty_strided.default),
    ):

        def made(*sizes, make=make, **options):
            return Pretended(make(*sizes, dtype=options.get("dtype"), device=CPU))

        kernels.impl(name, made, "PrivateUse1")
    kernels.impl("_copy_from", _copy_from, "PrivateUse1")
    autocast.fallback(torch.library.fallthrough_kernel)
    return [kernels, autocast]
