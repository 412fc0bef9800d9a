"""What only a process of its own shows: kills, interrupts, full disks, pipes, terminals."""

import fcntl
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import termios
import time

import pytest

from aegis.records.record import read_record

from .conftest import SMALL, TINY, command, entries, finish, run, start


def wait_until(condition, process, what):
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, f"ended before {what}: {process.communicate()}"
        assert time.monotonic() < deadline, f"no {what} within a minute"
        os.sched_yield()


def arrays(store):
    return {name for name in entries(store) if name.endswith(".npz")} if store.exists() else set()


@pytest.fixture
def scan(suspect, images, tmp_path, monkeypatch):
    """Arguments of a scan with a store of its own, long enough to be caught in the middle."""
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    options = ("--preset", "paper", "--iterations", "60", *TINY[4:])
    return "scan", suspect, "--data", images, *options


def test_killed_and_started_again(scan, tmp_path):
    process = start(*scan)
    wait_until(lambda: len(arrays(tmp_path / "store")) >= 2, process, "result of a class")
    process.kill()
    assert finish(process).code == -signal.SIGKILL
    found = {name: (tmp_path / "store" / name).stat().st_mtime_ns for name in arrays(tmp_path / "store")}
    again = run(*scan, "--json", tmp_path / "result.json")
    assert again.code in (0, 1, 3), again.err
    assert len(read_record(tmp_path / "result.json").classes) == 4
    # Two for each class and one for the model; those from before were read and not written again.
    assert len(arrays(tmp_path / "store")) == 9
    assert found == {name: (tmp_path / "store" / name).stat().st_mtime_ns for name in found}


def test_terminated_while_training(images, tmp_path):
    out = tmp_path / "out.safetensors"
    process = start("train", out, "--data", images, "--arch", "aegis:cnn16", "--epochs", "500")
    wait_until((tmp_path / "out.safetensors.partial").exists, process, "first epoch")
    process.terminate()
    assert finish(process).code == 128 + signal.SIGTERM
    # The state between epochs stays, whole; nothing else does.
    assert entries(tmp_path) == {"out.safetensors.partial"}


@pytest.fixture
def small_disk():
    """Files may hold 20 kB, as if the disk were full after that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_while_training(images, tmp_path, small_disk):
    out = tmp_path / "out.safetensors"
    outcome = run("train", out, "--data", images, "--arch", "aegis:cnn16", "--epochs", "1", "--standard")
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("aegis: Expected room")
    assert outcome.err.count("\n") == 1
    assert "Free some space" in outcome.err
    assert entries(tmp_path) == set()


def test_a_full_disk_while_scanning(scan, tmp_path, small_disk):
    outcome = run(*scan, "--classes", "0", "--json", tmp_path / "result.json")
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("aegis: Expected ")
    assert outcome.err.count("\n") == 1
    assert "File too large" in outcome.err or "space" in outcome.err or "disk" in outcome.err
    assert not any("partial" in name or name == "result.json" for name in entries(tmp_path))


def test_a_reader_that_has_had_enough_changes_no_exit_code(scanned, suspect, images):
    read, write = os.pipe()
    os.close(read)
    process = subprocess.Popen(
        command("scan", suspect, "--data", images, *SMALL), stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


@pytest.mark.parametrize(("gone", "other"), [("stderr", "stdout"), ("stdout", "stderr")])
def test_whoever_has_had_enough_of_one_stream_does_not_cost_the_other_its_words(gone, other):
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
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", code], **{gone: write, other: subprocess.PIPE}, text=True, timeout=60, check=False
    )
    os.close(write)
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


def test_a_terminal_has_colours_and_a_file_has_not(scanned, folder):
    code, sent = in_terminal("show", folder / "result.json")
    assert code == 0
    assert COLOUR.search(sent)
    _, plain = in_terminal("show", folder / "result.json", NO_COLOR="1")
    assert not COLOUR.search(plain)
    assert "Clean" in plain
    outcome = finish(start("show", folder / "result.json"))
    assert "\x1b" not in outcome.out
    # In a file nothing is wrapped: a line of the table is a line.
    assert max(map(len, outcome.out.splitlines())) > 80


def test_progress_and_ctrl_c_in_a_terminal(scan, tmp_path):
    code, sent = in_terminal(*scan, "--json", tmp_path / "result.json", interrupt_at="class 0, translate")
    assert code == 130
    assert "reading the model" in sent
    assert "robustness" in sent
    assert "left" in sent
    assert "Interrupted. A scan or a training goes on" in " ".join(sent.split())
    assert "Traceback" not in sent
    assert not any("partial" in name or name == "result.json" for name in entries(tmp_path))


def test_quiet_in_a_terminal(scanned, suspect, images):
    code, sent = in_terminal("scan", suspect, "--data", images, *SMALL, "-q")
    assert code == 0
    assert "reading" not in sent
    assert len(sent.strip().splitlines()) == 1


def test_python_m_aegis():
    done = subprocess.run([sys.executable, "-m", "aegis", "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"aegis \d+\.\d+\.\d+\n", done.stdout)
