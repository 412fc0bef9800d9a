"""Recognises quantised networks by the names and types of what they hold, so that they are refused as such."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aegis.core.errors import CheckpointError
from aegis.core.text import printable

# What torch, bitsandbytes and the formats of GPTQ and AWQ keep beside or instead of weights.
_NAMES = re.compile(
    r"(?:^|.*\.)(?:_packed_params(?:\..*)?|zero_point|SCB|weight_format|qweight|qzeros|absmax|quant_map|quant_state\..*)"
)
_TYPES = re.compile(r"(?:torch\.)?q(?:u?int)\d.*")
_CODE = re.compile(r"torch\.(?:ao\.)?nn\..*quantized\..*|torchao\..*|bitsandbytes\..*")


def check_not_quantised(names: Iterable[str] = (), types: Iterable[str] = (), code: Iterable[str] = ()) -> None:
    """Refuses a network of quantised weights.

    Args:
        names: of its tensors and other entries.
        types: of its tensors, as torch names them.
        code: names of classes in the file.

    Raises:
        CheckpointError: if one of them is of a quantised network.
    """
    for pattern, texts in ((_TYPES, types), (_NAMES, names), (_CODE, code)):
        if found := next(filter(pattern.fullmatch, texts), None):
            raise CheckpointError(
                "a network with floating-point weights",
                f"a quantised one ({printable(found)})",
                "Save its weights dequantised and scan them, and scan the network that it was made from as well: "
                "quantising can wake a backdoor.",
            )
