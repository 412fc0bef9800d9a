"""Finds the library of an architecture that is called by its plain name."""

from __future__ import annotations

from aegis.core.errors import CheckpointError
from aegis.core.text import printable
from aegis.models.architectures import ARCHITECTURES


def library_name(name: str) -> str:
    """Puts the library before the plain name of an architecture.

    Args:
        name: with options after commas, such as ``resnet18`` or ``vit_tiny_patch16_224,img_size=32``; one that has its
            library before it stays as it is.

    Returns:
        The name as ``architectures.build`` takes it; of libraries that share it, the first of timm, torchvision, aegis.

    Raises:
        CheckpointError: if no library has it.
    """
    import timm
    from torchvision import models

    plain = name.partition(",")[0]
    if ":" in plain:
        return name
    libraries = {
        "timm": timm.is_model(plain),
        "torchvision": plain in models.list_models(module=models),
        "aegis": plain in ARCHITECTURES,
    }
    for library, has_it in libraries.items():
        if has_it:
            return f"{library}:{name}"
    raise CheckpointError(
        "the name of an architecture of timm, torchvision or AEGIS",
        repr(printable(plain)),
        "Give --arch, also module:factory for code of your own that builds it.",
    )
