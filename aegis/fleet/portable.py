"""Writes tasks and their errors as JSON for other processes and machines, where nothing that travels is a pickle."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import lru_cache
from importlib import import_module
from inspect import isfunction
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, TypeAdapter, ValidationError

from aegis.core import errors
from aegis.core.errors import AegisError, ConfigError
from aegis.core.failures import is_out_of_memory

_adapter: Callable[[type], TypeAdapter[Any]] = lru_cache(maxsize=32)(TypeAdapter)


def describe(value: object) -> dict[str, Any]:
    """Writes a function as its name, and a dataclass as its name and fields.

    Args:
        value: a function or a dataclass that a module defines by name; fields that travel are what JSON knows, paths,
            dataclasses, pydantic models, or ``Portable``.

    Returns:
        What JSON knows.
    """
    kind: Any = value if isfunction(value) else type(value)
    said: dict[str, Any] = {"name": f"{kind.__module__}:{kind.__qualname__}"}
    return said if kind is value else said | {"fields": _adapter(kind).dump_python(value, mode="json")}


def restore(said: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as many types as there are tasks
    """Finds again, or makes again, what ``describe`` wrote.

    Args:
        said: by another process that runs the same source.

    Returns:
        The function or dataclass.

    Raises:
        ConfigError: if there is no such thing here.
    """
    module, _, name = str(said["name"]).partition(":")
    try:
        found = getattr(import_module(module), name)
        if isinstance(found, type) and is_dataclass(found):
            return _adapter(found).validate_python(said["fields"])
    except (ImportError, AttributeError, KeyError, ValidationError) as error:
        raise ConfigError(f"{said['name']} in this version", "none", "Use the same version everywhere.") from error
    return found


# A field that holds a function or a dataclass.
Portable = Annotated[Callable[..., Any], PlainSerializer(describe), PlainValidator(restore)]


def describe_error(error: BaseException) -> dict[str, Any]:
    """Writes an error so that it can be raised elsewhere with the same message."""
    if isinstance(error, AegisError):
        return {"error": type(error).__name__, "parts": [error.expected, error.got, error.advice]}
    if is_out_of_memory(error):
        return {"error": "MemoryError", "parts": []}
    if isinstance(error, OSError) and error.errno is not None:
        return {"error": "OSError", "parts": [error.errno, error.strerror, *filter(None, [error.filename])]}
    trace = "".join(traceback.format_exception(error))
    return {"error": "RuntimeError", "parts": [f"{type(error).__name__}: {error}"], "trace": trace}


def restore_error(said: Mapping[str, Any]) -> Exception:
    """Makes an error again that ``describe_error`` wrote."""
    usual = {"MemoryError": MemoryError, "OSError": OSError, "RuntimeError": RuntimeError}
    kind = usual.get(said["error"]) or getattr(errors, said["error"])
    made = kind(*said["parts"])
    assert isinstance(made, Exception)
    if "trace" in said:
        made.add_note(said["trace"])
    return made
