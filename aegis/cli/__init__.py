"""The command line. Each command is a file; heavy packages are imported only when a command runs."""

from __future__ import annotations

import signal
import sys
import warnings
from typing import Annotated

import typer

from aegis.cli.bank.commands import BANK
from aegis.cli.compare import compare
from aegis.cli.evaluate import evaluate
from aegis.cli.failures import guarded, tell
from aegis.cli.figure import figure
from aegis.cli.fleet.commands import FLEET
from aegis.cli.gc import gc
from aegis.cli.history import history
from aegis.cli.identify import identify
from aegis.cli.output import Printer, without_wrapping
from aegis.cli.reference import reference
from aegis.cli.report import report
from aegis.cli.scan import scan
from aegis.cli.show import show
from aegis.cli.table import table
from aegis.cli.train import train
from aegis.cli.verify import verify
from aegis.core.failures import TERMINATED
from aegis.core.memory import keep_freed_memory
from aegis.core.version import __version__

app = typer.Typer(
    name="aegis",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (scan, compare, identify, reference, show, report, history, verify, gc, train, evaluate, table, figure):
    app.command(help=without_wrapping(command.__doc__ or ""))(guarded(command))
for group, parts, about in (
    ("fleet", FLEET, "Many suspects at once: scan a folder or a list of them, see how far that is, end it."),
    ("bank", BANK, "Suspects to try a detector on: list, train, scan."),
):
    sub = typer.Typer(name=group, no_args_is_help=True, help=about)
    for name, part in parts.items():
        sub.command(name, help=without_wrapping(part.__doc__ or ""))(guarded(part))
    app.add_typer(sub)


def _version(asked: bool) -> bool:
    if asked:
        Printer().say(f"aegis {__version__}")
        raise typer.Exit
    return asked


@app.callback(
    epilog="Exit codes: 0 clean or done, 1 infected, 2 bad input or usage, 3 inconclusive or not sure, 70 a defect in "
    "AEGIS, 130 interrupted; aegis verify ends with 1 where something is damaged or differs."
)
def aegis(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Does an adversarially robust image classifier hide a backdoor, in which class, and with which trigger?"""


def main() -> None:
    """Runs a command and exits with its code; every failure becomes one message."""
    keep_freed_memory()
    # Ended from outside, temporary files are still removed on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    if not sys.warnoptions:
        # Warnings of libraries are for programmers; users of the command could do nothing about them.
        warnings.simplefilter("ignore")
    try:
        app()
    except Exception as error:  # from the checks of options, which run before the command
        sys.exit(tell(error))
