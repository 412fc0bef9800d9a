"""A worker that was taken over: whatever it leaves behind, we say one message, soon, and read nothing else."""

import json
import os
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save, save_file

from aegis.core.errors import CheckpointError
from aegis.models.intake import sandbox as quarantine
from aegis.models.intake.sandbox import Limits, read_contents
from aegis.models.intake.sandbox_output import REFUSAL_LIMIT, refusal, take
from aegis.models.load import load_checkpoint

ROOM = 2**20


def header(entries, data=bytes(4)):
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


ENTRY = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "plain.safetensors"


def test_plain_tensors_are_taken(out):
    save_file({"w": torch.ones(2, dtype=torch.float16), "n": torch.tensor(3)}, out)
    tensors, identity = take(out, ROOM)
    assert (tensors["w"].dtype, tensors["n"].dtype, identity) == (torch.float32, torch.int64, None)


LEFT = {
    "a link": lambda out: out.symlink_to("/etc/passwd"),
    "a hard link": lambda out: (
        out.with_name("x").write_bytes(save({"w": torch.ones(1)})),
        os.link(out.with_name("x"), out),
    ),
    "a pipe": lambda out: os.mkfifo(out),
    "a folder": lambda out: out.mkdir(),
    "a huge file": lambda out: (out.write_bytes(b""), os.truncate(out, 2**40)),
    "a text": lambda out: out.write_text("hello, I am no tensor"),
    "nothing": lambda out: out.write_bytes(b""),
    "a pickle": lambda out: out.write_bytes(b"\x80\x04cos\nsystem\n."),
    "other notes": lambda out: save_file({"w": torch.ones(1)}, out, {"aegis.truth": "{}"}),
    "notes of another kind": lambda out: out.write_bytes(header({"__metadata__": ["x"], "w": ENTRY})),
    "a card with an escape": lambda out: save_file({"w": torch.ones(1)}, out, {"aegis.identity": '{"name": "\x1b"}'}),
    "an odd type": lambda out: save_file({"w": torch.ones(4).to(torch.float8_e4m3fn)}, out),
    "an odd shape": lambda out: out.write_bytes(header({"w": ENTRY | {"shape": [2**62, 0]}})),
    "too much": lambda out: save_file({"w": torch.ones(ROOM)}, out),
    "lies": lambda out: out.write_bytes(header({"w": ENTRY | {"data_offsets": [0, 2**40]}})),
    "too little": lambda out: out.write_bytes(header({"w": ENTRY}, b"")),
    "NaN": lambda out: save_file({"w": torch.tensor(float("nan"))}, out),
}


@pytest.mark.parametrize("leave", LEFT.values(), ids=LEFT)
def test_anything_else_is_one_message(out, leave):
    leave(out)
    with pytest.raises(CheckpointError) as caught:
        take(out, ROOM)
    assert str(caught.value).isprintable()


def test_a_refusal_is_quoted_short_and_escaped(out):
    said = {"expected": "a", "got": "\x1b[31m" + "x" * 10_000, "advice": "b\nc"}
    out.with_name(f"{out.name}.json").write_text(json.dumps(said))
    error = refusal(out)
    assert str(error).isprintable()
    assert len(str(error)) < 1000


@pytest.mark.parametrize(
    "leave",
    [
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.symlink_to("nothing"),
        lambda path: os.mkfifo(path),
        lambda path: path.mkdir(),
        lambda path: path.write_bytes(b" " * (REFUSAL_LIMIT + 1)),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.write_text("[" * 60_000),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text('{"expected": "a"}'),
        lambda path: path.write_text('{"expected": 1, "got": {}, "advice": []}'),
    ],
    ids=["link", "dangling", "pipe", "folder", "long", "binary", "deep", "list", "half", "kinds"],
)
def test_a_refusal_that_is_none_is_one_message(out, leave):
    leave(out.with_name(f"{out.name}.json"))
    with pytest.raises(CheckpointError, match="taken over"):
        refusal(out)


def test_no_word_is_no_refusal(out):
    assert refusal(out) is None


def test_what_a_worker_left_running_is_ended_with_it(monkeypatch, tmp_path):
    """A worker with a child that would write on after it, as if nothing confined it."""
    code = (
        "import os, time, sys\nif os.fork():\n    os._exit(0)\n"
        "open(sys.argv[1], 'w').write(str(os.getpid()))\ntime.sleep(600)"
    )
    pid = tmp_path / "pid"
    real = quarantine.subprocess.Popen

    def started(command, **options):
        process = real([command[0], "-c", code, str(pid)], **options)
        while not (pid.exists() and pid.read_text()):
            os.sched_yield()
        return process

    monkeypatch.setattr(quarantine.subprocess, "Popen", started)
    save_file({"w": torch.ones(1)}, tmp_path / "a")
    with pytest.raises(CheckpointError):
        read_contents(tmp_path / "a", Limits())
    state = Path(f"/proc/{pid.read_text()}/stat")
    # A moment for the signal to arrive; whoever adopts it may take longer to bury it.
    ended = (not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z" for _ in range(100_000))
    assert any(ended)


def test_the_digest_is_of_the_bytes_that_were_read(tmp_path, checkpoint, monkeypatch):
    """The file is swapped for another one while the reader is on its way."""
    first = checkpoint.read_bytes()
    wanted = load_checkpoint(checkpoint)
    run = quarantine._run_worker

    def swapped(copy, out, limits):
        checkpoint.unlink()
        checkpoint.write_bytes(first.replace(b"aegis:cnn16", b"aegis:cnn32"))
        run(copy, out, limits)

    monkeypatch.setattr(quarantine, "_run_worker", swapped)
    found = load_checkpoint(checkpoint)
    assert checkpoint.read_bytes() != first
    assert (found.sha256, found.identity) == (wanted.sha256, wanted.identity)


def test_a_pipe_that_takes_the_files_place_is_not_waited_for(tmp_path, checkpoint, monkeypatch):
    from aegis.models.intake import formats

    check = formats._check_regular

    def late(found, path):
        check(found, path)
        if path.is_file():
            path.unlink()
            os.mkfifo(path)

    monkeypatch.setattr(formats, "_check_regular", late)
    with pytest.raises(CheckpointError, match="a device or pipe"):
        formats.file_digest(checkpoint)
