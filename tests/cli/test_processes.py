"""What only a process of its own shows: interrupts, full disks, pipes, terminals; not kills, which have their test."""

import fcntl
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import termios
from contextlib import contextmanager

import pytest

from .conftest import SMALL, TINY, command, entries, run

TRAIN = ("--arch", "aegis:cnn16", "--standard")


@pytest.fixture
def scan(suspect, images, tmp_path, monkeypatch):
    """Arguments of a scan with a store of its own, long enough to be caught in the middle."""
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    return "scan", suspect, "--data", images, "--preset", "paper", "--iterations", "60", *TINY[4:]


def test_terminated_while_training(images, tmp_path, monkeypatch):
    @contextmanager
    def bar(*_, **__):
        def report(event):
            if (tmp_path / "out.safetensors.partial").exists():
                os.kill(os.getpid(), signal.SIGTERM)

        yield report

    monkeypatch.setattr(sys.modules["aegis.cli.train"], "progress_bar", bar)
    outcome = run("train", tmp_path / "out.safetensors", "--data", images, *TRAIN, "--epochs", "50")
    assert outcome.code == 128 + signal.SIGTERM
    # The state between epochs stays, whole; nothing else does.
    assert entries(tmp_path) == {"out.safetensors.partial"}


@pytest.fixture
def small_disk():
    """Files may hold 20 kB, as if the disk were full after that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk(scan, images, tmp_path, small_disk):
    outcome = run("train", tmp_path / "out.safetensors", "--data", images, *TRAIN, "--epochs", "1")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert outcome.err.startswith("aegis: Expected room")
    assert "Free some space" in outcome.err
    outcome = run(*scan, "--classes", "0", "--json", tmp_path / "result.json")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert re.match("aegis: Expected .*(File too large|space|disk)", outcome.err)
    left = {name for name in entries(tmp_path) if not name.startswith("store/")}
    assert (left, [name for name in entries(tmp_path) if "partial" in name]) == (set(), [])


@pytest.fixture
def broken_pipe():
    """The writing end of a pipe whose reader has had enough."""
    read, write = os.pipe()
    os.close(read)
    yield write
    os.close(write)


def test_a_reader_that_has_had_enough_changes_no_exit_code(scanned, suspect, images, broken_pipe):
    arguments = command("scan", suspect, "--data", images, *SMALL)
    done = subprocess.run(arguments, stdout=broken_pipe, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("gone", "other"), [("stderr", "stdout"), ("stdout", "stderr")])
def test_whoever_has_had_enough_of_one_stream_does_not_cost_the_other_its_words(gone, other, broken_pipe):
    code = f"""
import os
from aegis.cli.output import Printer

spare = os.dup(0)
os.close(spare)
Printer(stderr={gone == "stderr"}).say("lost")
Printer(stderr={gone == "stderr"}).say("lost again")
Printer(stderr={other == "stderr"}).say("kept")
assert os.dup(0) == spare
"""
    streams = {gone: broken_pipe, other: subprocess.PIPE}
    done = subprocess.run([sys.executable, "-c", code], **streams, text=True, timeout=60, check=False)
    assert (done.returncode, getattr(done, other)) == (0, "kept\n")


def in_terminal(*arguments, interrupt_at=None, **environment):
    """All that a terminal of 80 columns is sent, where Ctrl-C may be pressed once something shows."""
    leader, follower = pty.openpty()
    size = {"COLUMNS": "80", "LINES": "24", "TERM": "xterm-256color"}
    process = subprocess.Popen(
        command(*arguments),
        **dict.fromkeys(("stdin", "stdout", "stderr"), follower),
        env=os.environ | size | environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(follower)
    sent = ""
    try:
        while part := os.read(leader, 65536):
            sent += part.decode(errors="replace")
            if interrupt_at and interrupt_at in sent:
                os.write(leader, b"\x03")
                interrupt_at = None
    except OSError:  # how the end shows on Linux
        pass
    os.close(leader)
    return process.wait(timeout=60), sent


COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]m")


def test_a_terminal_has_colours_unless_it_wants_none(scanned, suspect, images):
    code, sent = in_terminal("show", scanned[1])
    assert code == 0
    assert COLOUR.search(sent)
    code, plain = in_terminal("scan", suspect, "--data", images, *SMALL, "-q", NO_COLOR="1")
    assert code == 0
    assert not COLOUR.search(plain)
    assert "Clean" in plain
    # Nor does it show progress.
    assert "reading" not in plain
    assert len(plain.strip().splitlines()) == 1


def test_progress_and_ctrl_c_in_a_terminal(scan, tmp_path):
    code, sent = in_terminal(*scan, "--json", tmp_path / "result.json", interrupt_at="class 0, translate")
    assert code == 130
    assert "Interrupted. A scan or a training goes on" in " ".join(sent.split())
    assert [word in sent for word in ("reading the model", "robustness", "left", "Traceback")] == [True] * 3 + [False]
    assert not any("partial" in name or name == "result.json" for name in entries(tmp_path))
