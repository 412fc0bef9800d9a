"""The process of its own that reads a file: what ends it, what it inherits, and which bytes it reads."""

import os
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from aegis.core.errors import CheckpointError
from aegis.models.intake import formats, sandbox
from aegis.models.intake.sandbox import Limits, read_contents
from aegis.models.load import load_checkpoint


def refusal(path, limits):
    with pytest.raises(CheckpointError) as caught:
        read_contents(path, limits)
    return caught.value


def test_reading_that_takes_too_long_is_ended(checkpoint):
    assert refusal(checkpoint, Limits(seconds=0.01)).expected == "a file that is read within 0.01 s"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not count private memory")
def test_reading_that_takes_too_much_memory_is_ended(tmp_path):
    big = tmp_path / "big.safetensors"
    save_file({"w": torch.zeros(15_000_000)}, big)
    assert "more memory than it may take" in refusal(big, Limits(memory=40 * 2**20)).got
    # Enough to read the file and not enough to unpack it: the library gives up on its own.
    assert "memory" in refusal(big, Limits(memory=100 * 2**20)).got
    assert read_contents(big, Limits()).tensors["w"].shape == (15_000_000,)


def test_what_torch_save_wrote_is_read_within_the_limits(tmp_path, network):
    torch.save({"state_dict": network.state_dict()}, tmp_path / "a.pt")
    found = read_contents(tmp_path / "a.pt", Limits()).tensors
    assert all(torch.equal(found[name], tensor) for name, tensor in network.state_dict().items())


def test_an_end_without_a_word_is_explained():
    said = b"Traceback\nImportError: \x1b no such thing"
    assert (
        sandbox._death(-9, said, 2**30)
        == "one whose reading was ended by SIGKILL, perhaps for more than 1024 MiB of memory"
    )
    assert r"code 1, with at most 1024 MiB of memory: ImportError: \x1b no such thing" in sandbox._death(1, said, 2**30)


def test_the_worker_inherits_no_secrets(monkeypatch, tmp_path):
    monkeypatch.setenv("API_TOKEN", "secret")
    environment = sandbox._environment(tmp_path)
    assert "API_TOKEN" not in environment
    assert environment["HOME"] == str(tmp_path) != os.environ["HOME"]


def test_what_a_worker_left_running_is_ended_with_it(monkeypatch, tmp_path):
    """A worker with a child that would write on after it, as if nothing confined it."""
    code = (
        "import os, time, sys\nif os.fork():\n    os._exit(0)\n"
        "open(sys.argv[1], 'w').write(str(os.getpid()))\ntime.sleep(600)"
    )
    pid = tmp_path / "pid"
    real = sandbox.subprocess.Popen

    def started(command, **options):
        process = real([command[0], "-c", code, str(pid)], **options)
        while not (pid.exists() and pid.read_text()):
            os.sched_yield()
        return process

    monkeypatch.setattr(sandbox.subprocess, "Popen", started)
    save_file({"w": torch.ones(1)}, tmp_path / "a")
    refusal(tmp_path / "a", Limits())
    state = Path(f"/proc/{pid.read_text()}/stat")
    # A moment for the signal to arrive; whoever adopts it may take longer to bury it.
    ended = (not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z" for _ in range(100_000))
    assert any(ended)


def test_the_digest_is_of_the_bytes_that_were_read(checkpoint, monkeypatch):
    """The file is swapped for another one while the reader is on its way."""
    # As on systems without it, where no good file may be taken for one that computes too long.
    monkeypatch.delattr("signal.SIGXCPU")
    first = checkpoint.read_bytes()
    wanted = load_checkpoint(checkpoint)
    run = sandbox._run_worker

    def swapped(copy, out, limits, entry):
        checkpoint.unlink()
        checkpoint.write_bytes(first.replace(b"aegis:cnn16", b"aegis:cnn32"))
        run(copy, out, limits, entry)

    monkeypatch.setattr(sandbox, "_run_worker", swapped)
    found = load_checkpoint(checkpoint)
    assert checkpoint.read_bytes() != first
    assert (found.sha256, found.identity) == (wanted.sha256, wanted.identity)


def test_a_pipe_that_takes_the_files_place_is_not_waited_for(checkpoint, monkeypatch):
    check = formats._check_regular

    def late(found, path):
        check(found, path)
        if path.is_file():
            path.unlink()
            os.mkfifo(path)

    monkeypatch.setattr(formats, "_check_regular", late)
    with pytest.raises(CheckpointError, match="a device or pipe"):
        formats.file_digest(checkpoint)
