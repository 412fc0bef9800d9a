"""Turns every failure of a command into one message and an exit code that differs from those of verdicts."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import ParamSpec

import typer

from aegis.cli.output import Printer
from aegis.core.failures import DEFECT, OWN_CODE, TERMINATED, explain, line_of_own_code
from aegis.core.text import printable

LIMIT = 4000

P = ParamSpec("P")


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Wraps a command so that every failure ends in a message and its exit code.

    Typer would end some of them with code 1, which here means *infected*.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except typer.Exit:
            raise
        except SystemExit as error:
            # The code of a network that ends the program would choose the verdict.
            if error.code == TERMINATED or line_of_own_code(error) is None:
                raise
            raise typer.Exit(tell(error)) from error
        except (Exception, KeyboardInterrupt) as error:
            raise typer.Exit(tell(error)) from error

    return run


def tell(error: BaseException) -> int:
    """Prints a message for a failure on standard error.

    Returns:
        The exit code.
    """
    message, code = explain(error)
    if os.environ.get("AEGIS_DEBUG") and (code == DEFECT or message.startswith(OWN_CODE)):
        raise error
    Printer(stderr=True).say(("aegis: ", "bold red"), printable(message, LIMIT), wrap=False)
    return code
