"""Where commands compute that have much to do: on this machine, or on a Ray cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from aegis.cli.options import MORE, flag, option
from aegis.cli.output import Printer

if TYPE_CHECKING:
    from aegis.fleet.executor import Executor, Work

Address = Annotated[
    str | None,
    option(
        "--address",
        "HOST:PORT",
        "Work on a Ray cluster instead of this machine; auto for the one that runs here.",
        MORE,
    ),
]
Insecure = Annotated[
    bool, flag("--insecure", "Take a cluster that asks nobody for a token: whoever reaches it runs code on it.", MORE)
]


def join_cluster(
    work: Work, address: str, insecure: bool, *, device: str, jobs: int | None, told: Printer
) -> tuple[Executor, str]:
    """Joins a cluster.

    Args:
        work: answers messages there.
        address, insecure: as in ``find_cluster``.
        device: as in ``choose_runtime``.
        jobs: pieces side by side at most, or None.
        told: prints which nodes get no work, and why.

    Returns:
        The executor, and host and port.

    Raises:
        AegisError: if there is no way in.
    """
    from aegis.fleet.ray_address import find_cluster
    from aegis.services.fleet.work import hello

    where = find_cluster(address, insecure)
    from aegis.fleet.ray import Cluster

    gpu = {"cpu": False, "cuda": None}.get(device, True)
    return Cluster(work, where, hello, hello(), gpu, told.note, jobs), where


def place_of_tasks(
    address: str | None, insecure: bool, *, device: str = "auto", jobs: int | None = None
) -> Executor | None:
    """Joins a cluster for ``run_all``, if one is asked for.

    Args:
        address, insecure, device, jobs: as in ``join_cluster``.

    Returns:
        The executor; None for this machine.

    Raises:
        AegisError: if there is no way in.
    """
    if address is None:
        return None
    from aegis.fleet.tasks import answer

    return join_cluster(answer, address, insecure, device=device, jobs=jobs, told=Printer(stderr=True))[0]
