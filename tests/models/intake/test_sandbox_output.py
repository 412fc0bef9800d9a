"""A worker that was taken over: whatever it leaves behind, we say one message, soon, and read nothing else."""

import json
import os

import pytest
import torch
from safetensors.torch import save, save_file

from aegis.core.errors import CheckpointError
from aegis.models.intake.sandbox_output import REFUSAL_LIMIT, Layout, refusal, take
from tests.hostile.headers import ENTRY, write

ROOM = 2**20


@pytest.fixture
def out(tmp_path):
    return tmp_path / "plain.safetensors"


def test_plain_tensors_are_taken(out):
    save_file({"w": torch.ones(2, dtype=torch.float16), "n": torch.tensor(3)}, out)
    tensors, identity, layout = take(out, ROOM)
    assert (tensors["w"].dtype, tensors["n"].dtype, identity) == (torch.float32, torch.int64, None)
    assert layout == Layout()


def test_where_the_network_lay_is_taken(out):
    save_file({"w": torch.ones(2)}, out, told('{"name": "model", "others": ["ema"], "code": ["a.B"]}'))
    assert take(out, ROOM)[2] == Layout("model", ("ema",), ("a.B",))


def told(entry):
    return {"aegis.entry": entry}


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
    "notes of another kind": lambda out: write(out, {"__metadata__": ["x"], "w": ENTRY}),
    "a card with an escape": lambda out: save_file({"w": torch.ones(1)}, out, {"aegis.identity": '{"name": "\x1b"}'}),
    "an odd type": lambda out: save_file({"w": torch.ones(4).to(torch.float8_e4m3fn)}, out),
    "an odd shape": lambda out: write(out, {"w": ENTRY | {"shape": [2**62, 0]}}),
    "too much": lambda out: save_file({"w": torch.ones(ROOM)}, out),
    "lies": lambda out: write(out, {"w": ENTRY | {"data_offsets": [0, 2**40]}}),
    "too little": lambda out: write(out, {"w": ENTRY}, b""),
    "an odd entry": lambda out: save_file({"w": torch.ones(1)}, out, told('{"name": 3, "others": [], "code": []}')),
    "half an entry": lambda out: save_file({"w": torch.ones(1)}, out, told('{"name": "a"')),
    "NaN": lambda out: save_file({"w": torch.tensor(float("nan"))}, out),
}


@pytest.mark.parametrize("leave", LEFT.values(), ids=LEFT)
def test_anything_else_is_one_message(out, leave):
    leave(out)
    with pytest.raises(CheckpointError) as caught:
        take(out, ROOM)
    assert str(caught.value).isprintable()


def test_a_refusal_is_quoted_short_and_escaped_and_no_word_is_none(out):
    assert refusal(out) is None
    said = {"expected": "a", "got": "\x1b[31m" + "x" * 10_000, "advice": "b\nc"}
    out.with_name(f"{out.name}.json").write_text(json.dumps(said))
    error = refusal(out)
    assert str(error).isprintable()
    assert len(str(error)) < 1000


WRITTEN = {
    "long": b" " * (REFUSAL_LIMIT + 1),
    "binary": b"\xff\xfe",
    "deep": b"[" * 60_000,
    "a list": b"[]",
    "half": b'{"expected": "a"}',
    "other kinds": b'{"expected": 1, "got": {}, "advice": []}',
}
NO_REFUSAL = {
    **{name: LEFT[name] for name in ("a link", "a hard link", "a pipe", "a folder")},
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    **{name: lambda path, content=content: path.write_bytes(content) for name, content in WRITTEN.items()},
}


@pytest.mark.parametrize("leave", NO_REFUSAL.values(), ids=NO_REFUSAL)
def test_a_refusal_that_is_none_is_one_message(out, leave):
    leave(out.with_name(f"{out.name}.json"))
    with pytest.raises(CheckpointError, match="taken over"):
        refusal(out)
