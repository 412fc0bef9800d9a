"""The command line. Each command is a file; heavy packages are imported only by what runs."""

from __future__ import annotations

import os
import sys

import typer
from rich.console import Console
from rich.markup import escape

from aegis.cli.evaluate import evaluate
from aegis.cli.scan import scan
from aegis.cli.show import show
from aegis.cli.train import train
from aegis.errors import AegisError
from aegis.runtime import Cancelled

BAD_INPUT = 2
DEFECT = 70
INTERRUPTED = 130

app = typer.Typer(
    name="aegis",
    help="Does an adversarially robust image classifier hide a backdoor, in which class, and with which trigger?",
    epilog="Exit codes: 0 clean or done, 1 infected, 2 bad input or usage, 3 inconclusive, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (scan, show, train, evaluate):
    app.command(no_args_is_help=True)(command)


def main() -> None:
    """Run a command and exit with its code; whatever goes wrong becomes one message."""
    try:
        app()
    except AegisError as error:
        _fail(str(error), BAD_INPUT)
    except (Cancelled, KeyboardInterrupt):
        _fail("Interrupted. What was finished is kept; the same command goes on from there.", INTERRUPTED)
    except MemoryError:
        _fail("Expected enough memory; got none left. Give fewer images or a smaller model.", BAD_INPUT)
    except Exception as error:
        if os.environ.get("AEGIS_DEBUG"):
            raise
        what = f"{type(error).__name__}: {error}"
        _fail(f"A defect in AEGIS, not in your input ({what}). Run again with AEGIS_DEBUG=1 to see where.", DEFECT)


def _fail(message: str, code: int) -> None:
    Console(stderr=True, soft_wrap=True).print(f"[bold red]aegis:[/] {escape(message)}", highlight=False)
    sys.exit(code)
