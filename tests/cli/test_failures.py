"""What is said when something goes wrong that is nobody's input."""

import json
from functools import partial

import pytest
import typer

from aegis.cli.failures import guarded
from aegis.core.errors import ConfigError
from aegis.core.failures import explain
from aegis.core.runtime import Cancelled
from aegis.core.source import ROOM, _meaning


class OutOfMemoryError(RuntimeError):
    """As torch calls its own."""


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ConfigError("a number", "none", "Give one."), 2, "Expected a number; got none. Give one."),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (Cancelled(), 130, "Interrupted"),
        (MemoryError(), 2, "memory"),
        (OutOfMemoryError("CUDA out of memory"), 2, "memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), 2, "memory"),
        (OSError(28, "No space left on device", "some/file"), 2, "'No space left on device' at some/file"),
        (BrokenPipeError(32, "Broken pipe"), 2, "Broken pipe"),
        (EOFError(), 70, "A defect in AEGIS"),
        (ZeroDivisionError("by nothing"), 70, "ZeroDivisionError: by nothing"),
    ],
)
def test_every_failure_has_its_code(error, code, words, capsys):
    assert ended(error) == code == explain(error)[1]
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith("aegis: ")
    assert words in said.err


def ended(error):
    """The exit code of a command that raises this in AEGIS."""
    names = {"error": error}
    exec(compile("def fail() -> None:\n    raise error", ROOM / "cli" / "made_up.py", "exec"), names)
    with pytest.raises(typer.Exit) as end:
        guarded(names["fail"])()
    return end.value.exit_code


def test_text_in_a_message_is_text(capsys):
    ended(ConfigError("[bold]plain[/bold]", "\x1b[31mred\nlines\x07", ":smile:"))
    assert capsys.readouterr().err == r"aegis: Expected [bold]plain[/bold]; got \x1b[31mred\nlines\x07. :smile:" + "\n"


def test_a_verdict_passes_and_a_defect_shows_itself_when_asked(monkeypatch):
    assert ended(typer.Exit(1)) == 1
    monkeypatch.setenv("AEGIS_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        ended(ZeroDivisionError())


def test_an_error_in_code_of_the_users_own_is_no_defect_and_named_by_its_line(tmp_path, monkeypatch):
    path = tmp_path / "their_net.py"
    path.write_text("def forward(call):\n    return call()\n")
    names = {}
    exec(compile(path.read_text(), path, "exec"), names)

    def raised(call):
        try:
            names["forward"](call)
        except BaseException as error:
            return explain(error.with_traceback(error.__traceback__.tb_next))

    said, code = raised(lambda: json.loads("{"))
    assert code == 2
    assert said.startswith("Expected code of your own that runs; got JSONDecodeError: ")
    # What goes wrong in AEGIS while such code runs is a defect of AEGIS.
    assert raised(lambda: _meaning("("))[1] == 70
    monkeypatch.setenv("AEGIS_DEBUG", "1")
    with pytest.raises(json.JSONDecodeError):
        guarded(partial(names["forward"], partial(json.loads, "{")))()
