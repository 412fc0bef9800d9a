"""The making of references as a page asks for it, and how a job does it; no Streamlit here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from aegis.core.errors import AegisError
from aegis.core.runtime import Report
from aegis.core.types import Dataset
from aegis.data import load_dataset
from aegis.data.files import load_unkept
from aegis.records.references import References
from aegis.services.references import ReferencePlan, make_references, usual_jobs
from aegis.store.store import Store
from aegis.ui.order import ChosenImages
from aegis.ui.uploads import ImagesSummary, Workspace, hidden
from aegis.ui.watch import Watch

AGAIN = "Make the references again on the Scan page."


@dataclass(frozen=True, eq=False, kw_only=True)
class ReferenceOrder:
    """Which images to make references of.

    Args:
        title: what people call the images.
        digest: of the data set, in hex.
        source: the data set, as ``read`` takes it.
        read: reads it, in processes that know nothing of the dashboard.
        seconds: that it will take, about.
        workspace: folder of the upload, or None.
    """

    title: str
    digest: str
    source: str
    read: Callable[[str], Dataset] = load_dataset
    seconds: float | None = None
    workspace: Workspace | None = None

    def clean(self) -> None:
        """Removes the upload."""
        if self.workspace:
            self.workspace.remove()


def order_references(images: ChosenImages, summary: ImagesSummary, title: str, seconds: float) -> ReferenceOrder:
    """Makes an order, with an upload written to a workspace of its own.

    Args:
        images: the chosen images.
        summary: what was read of them.
        title: what people call them.
        seconds: that it will take, about.

    Raises:
        AegisError: if the upload cannot be written.
    """
    order = ReferenceOrder(title=title, digest=summary.digest, source=str(images.source), seconds=seconds)
    if images.upload is None:
        return order
    workspace = Workspace()
    try:
        path = workspace.put(images.upload, "images")
    except AegisError:
        workspace.remove()
        raise
    return replace(order, source=str(path), read=load_unkept, workspace=workspace)


def make(order: ReferenceOrder, report: Report, watch: Watch) -> References:
    """Makes references; what an earlier job finished is not made again.

    Args:
        order: of which images.
        report: told of progress; raises ``Cancelled`` when the user has had enough.
        watch: collects progress for the page.

    Returns:
        The references, which are kept for every later scan with these images.

    Raises:
        AegisError: if they cannot be made, with the workspace's path left out of the message.
    """
    watch.know((), (), tries=False)
    watch.say("Making references")
    plan = ReferencePlan(source=order.source, read=order.read)
    with hidden(order.workspace), Store().working("references", order.title, order.digest, AGAIN):
        # Processes of their own leave the server to its pages, and end at once when they are cancelled.
        return make_references(plan, usual_jobs(), report, isolated=True)
