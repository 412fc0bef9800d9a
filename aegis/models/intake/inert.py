"""Stands in for classes and functions that a pickle names, so that the tensors in it are read and nothing is run.

Training programs save settings, paths, schedulers or whole modules beside or around the weights. Torch's own reader for
weights is told to put an inert object wherever such a name stands: it keeps what it is given and does nothing. Names
that only an attack has a use for are refused, although they would be as inert, because their owner should know.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import torch

from aegis.core.errors import CheckpointError
from aegis.models.intake.class_ids import CLASS_OF, class_of
from aegis.models.intake.file_kinds import SAVE_PLAINLY
from aegis.models.intake.pickles import UNNAMED

# What training programs keep beside the weights, of Python itself; its other names are of use to attacks alone.
PYTHON = {
    "argparse": ("Namespace",),
    "builtins": (
        *("bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "range"),
        *("set", "slice", "str", "tuple"),
    ),
    "collections": ("Counter", "OrderedDict", "defaultdict", "deque"),
    "copyreg": ("_reconstructor",),
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "fractions": ("Fraction",),
    "pathlib": ("Path", "PosixPath", "PurePath", "PurePosixPath", "PureWindowsPath", "WindowsPath"),
    "pathlib._local": ("Path", "PosixPath", "PurePath", "PurePosixPath", "PureWindowsPath", "WindowsPath"),
    "types": ("SimpleNamespace",),
    "uuid": ("UUID",),
}
# Modules of Python 2, whose names pickles of torch still bear.
OF_TODAY = {"__builtin__": "builtins", "copy_reg": "copyreg"}
# Of the libraries that every training program uses.
LIBRARIES = (
    *("torch.nn.", "torch.optim.", "torch.distributed.", "numpy.random."),
    *("numpy.dtype", "numpy.ndarray", "numpy.core.multiarray.", "numpy._core.multiarray."),
)
# Libraries that run what they are given.
RUNNERS = {"torch", "numpy", "cloudpickle", "dill", "joblib", "pip", "setuptools", "pkg_resources"}
# Depth of modules in modules, and places in which they stand, that are looked into.
DEEPEST, MOST = 64, 20_000


class Inert:
    """Keeps what a pickle gives it: arguments, then state."""

    parts: list[Any]

    def __new__(cls, *arguments: object) -> Inert:
        """Keeps the arguments."""
        made = super().__new__(cls)
        made.parts = [*arguments]
        return made

    def __setstate__(self, state: object) -> None:
        """Keeps the state."""
        self.parts.append(state)

    @property
    def state(self) -> dict[Any, Any]:
        """Attributes by name; empty for an object without any."""
        return next((part for part in reversed(self.parts) if isinstance(part, dict)), {})

    def get(self, attribute: str) -> object:
        """Gives one of the attributes, or None; a file may replace the methods of a dictionary by attributes of it."""
        return dict.get(self.state, attribute)


class NumPyValue(Inert):
    """Stands in for numbers and arrays of NumPy, so that no code of NumPy is called."""


def plain_dictionary(*_: object) -> dict[Any, Any]:
    """Stands in for ``collections.defaultdict``, to which a pickle adds items; its default is forgotten."""
    return {}


def plain_list(*_: object) -> list[Any]:
    """Stands in for ``collections.deque``, to which a pickle adds items."""
    return []


# What a pickle adds items to must be of a plain kind.
PLAIN: dict[str, Any] = {
    "collections.defaultdict": plain_dictionary,
    "collections.deque": plain_list,
    CLASS_OF: class_of,
}


def stand_in(name: str) -> tuple[Any, str]:
    """Gives what torch's reader puts in place of a name.

    Args:
        name: dotted name of a class or function.

    Returns:
        The stand-in with the name of today, as ``torch.serialization.safe_globals`` takes it.
    """
    module, _, last = name.rpartition(".")
    kind = NumPyValue if module.startswith("numpy") else Inert
    return PLAIN.get(name, kind), f"{OF_TODAY.get(module, module)}.{last}"


def is_harmless(name: str) -> bool:
    """Tells whether training programs have a use for a name.

    Args:
        name: dotted name of a class or function.

    Returns:
        Whether it is one of the names above, or a class of the user's own or of another library.
    """
    if name == UNNAMED:
        return False
    module, _, last = name.rpartition(".")
    root = name.partition(".")[0]
    if OF_TODAY.get(root, root) in sys.stdlib_module_names:
        return last in PYTHON.get(OF_TODAY.get(module, module), ())
    return name.startswith(LIBRARIES) or root not in RUNNERS


def is_module(one: Inert) -> bool:
    """Tells whether an object is a pickled ``torch.nn.Module``."""
    return isinstance(one.get("_parameters"), dict) and isinstance(one.get("_modules"), dict)


def tensors_of(module: Inert) -> dict[str, torch.Tensor]:
    """Collects the tensors of a pickled ``torch.nn.Module`` as its state dictionary would.

    Args:
        module: one for which ``is_module`` holds.

    Returns:
        Tensors by name.

    Raises:
        CheckpointError: if its parts stand in more places than a network has parts.
    """
    found: dict[str, torch.Tensor] = {}
    left: list[tuple[str, int, Inert]] = [("", 0, module)]
    visited = 0
    while left:
        visited += 1
        if visited > MOST:
            raise CheckpointError(f"at most {MOST:,} modules in a network", "more", SAVE_PLAINLY)
        prefix, depth, one = left.pop()
        found.update(_own_tensors(one, prefix))
        if depth < DEEPEST:
            # The last is taken first.
            left += [(f"{prefix}{name}.", depth + 1, child) for name, child in reversed(_children(one))]
    return found


def _own_tensors(module: Inert, prefix: str) -> Iterator[tuple[str, torch.Tensor]]:
    said = module.get("_non_persistent_buffers_set")
    passing = said if isinstance(said, set) else set()
    for group in ("_parameters", "_buffers"):
        held = module.get(group)
        for name, tensor in dict.items(held) if isinstance(held, dict) else ():
            if isinstance(name, str) and isinstance(tensor, torch.Tensor) and name not in passing:
                yield f"{prefix}{name}", tensor


def _children(module: Inert) -> list[tuple[str, Inert]]:
    held = module.get("_modules")
    assert isinstance(held, dict)
    return [
        (name, child)
        for name, child in dict.items(held)
        if isinstance(name, str) and isinstance(child, Inert) and is_module(child)
    ]
