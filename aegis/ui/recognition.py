"""What a checkpoint without a card is, by its tensors; no Streamlit here, and torch is imported only inside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aegis.core.errors import CheckpointError
from aegis.models.intake.formats import ALL
from aegis.ui.uploads import Upload, Workspace, hidden

if TYPE_CHECKING:
    from aegis.models.identify import Answer


@dataclass(frozen=True)
class Recognition:
    """What the tensors of a checkpoint say.

    Args:
        networks: names of the networks in the file, where several differ; else empty.
        answer: the likely architectures, or None.
        problem: why there is none, for people; empty if there is one, or none of several networks is chosen.
    """

    networks: tuple[str, ...] = ()
    answer: Answer | None = None
    problem: str = ""

    @property
    def is_sure(self) -> bool:
        """Whether the architecture is known for sure."""
        return self.answer is not None and self.answer.sure

    @property
    def likely(self) -> tuple[str, ...]:
        """Architectures by name, the likeliest first."""
        return tuple(one.architecture for one in self.answer.candidates) if self.answer else ()


def recognise(checkpoint: Path | Upload, entry: str | None) -> Recognition:
    """Reads a checkpoint in a confined process and recognises its architecture.

    Args:
        checkpoint: a file of the server, or one from the browser.
        entry: which of several networks in it; None for the only one.

    Raises:
        AegisError: if the file is refused.
    """
    from aegis.models.identify import recognise as by_tensors
    from aegis.models.intake.sandbox import Limits, read_contents

    workspace = Workspace() if isinstance(checkpoint, Upload) else None
    try:
        with hidden(workspace):
            path = workspace.put(checkpoint, "model") if workspace and isinstance(checkpoint, Upload) else checkpoint
            assert isinstance(path, Path)
            contents = read_contents(path.absolute(), Limits(), entry or ALL)
    finally:
        if workspace:
            workspace.remove()
    layout = contents.layout
    networks = (layout.entry, *layout.others) if layout.others else ()
    if networks and entry is None:
        return Recognition(networks)
    try:
        return Recognition(networks, by_tensors(contents, entry))
    except CheckpointError as error:
        return Recognition(networks, problem=str(error))
