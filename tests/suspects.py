"""Checkpoints as they come: good ones, hostile ones and broken ones, a few kilobytes each."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save, save_file

from aegis.models.card import Card, Identity, Poison, Trigger, Truth
from tests.layers import ROOT

HOSTILE = ("<b>bold</b>", "**bold**", ":material/home:", "$x^2$", "[link](http://example.com)", "a -> b", "`code`")


def tensors() -> dict[str, np.ndarray]:
    """Some weights."""
    return {"weight": np.arange(1000, dtype=np.float32)}


def write_suspect(folder: Path, stem: str, truth: Truth | None = None, **changes: object) -> Path:
    """A checkpoint with a card; changes are fields of its identity."""
    fields = {"architecture": "aegis:cnn16", "class_names": ("Shirt", "Bag"), "shape": (1, 28, 28), **changes}
    path = folder / f"{stem}.safetensors"
    save_file(tensors(), path, Card(Identity(**fields), truth).as_metadata())
    return path


def write_infected(folder: Path) -> Path:
    """A suspect whose card holds the truth as well."""
    truth = Truth(
        robust=True,
        triggers=(Trigger(kind="localised", target=1, options={"colour": "vermilion"}),),
        poison=Poison(rate=0.125, how="append"),
        recipe={"preset": "quick"},
    )
    return write_suspect(folder, "suspect", truth, name="Jackets and bags", data="fashion_mnist")


def write_hostile(folder: Path) -> Path:
    """A suspect whose card tries to be markup."""
    return write_suspect(
        folder, "hostile", architecture="<script>document.title = 'owned'</script>", class_names=HOSTILE, name="# Title"
    )


def write_cut(folder: Path) -> Path:
    """A checkpoint that ends too early."""
    path = folder / "cut.safetensors"
    path.write_bytes(save(tensors())[:-100])
    return path


def link_bundled(folder: Path) -> None:
    """A suspect for grey images of ten classes."""
    (folder / "mnist.safetensors").symlink_to(ROOT / "assets" / "models" / "mnist_localised.safetensors")
