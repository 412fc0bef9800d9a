"""Pieces of work on the nodes of a Ray cluster. The only file that imports Ray, which nobody needs without a cluster.

``find_cluster`` must have found the cluster before this file is imported. Only bytes travel: Ray pickles them as they
are, and the function that answers them by its name.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from contextlib import chdir, suppress
from typing import Any

import ray
from ray._private import worker
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from aegis.core.errors import AegisError, ConfigError
from aegis.core.memory import keep_freed_memory
from aegis.fleet.executor import Ended, Ending, Share, Slot, Work
from aegis.fleet.ray_address import LOOK, is_open

# Pieces side by side on one GPU: while one embeds on a core, another has the GPU.
PER_GPU = 4
# Seconds between two looks at which nodes there are, and that a node has to say what it runs.
EVERY, HELLO = 2.0, 60.0


class Cluster:
    """An executor on a Ray cluster: a slot for each processor core, or four for each GPU of a node that has any.

    Args:
        work: answers messages; it is imported by its name on every node.
        address: host and port of the cluster, from ``find_cluster``.
        hello: is called on every node before it gets work.
        same: its answer here, which every node must give.
        gpu: whether GPUs may be used; None if nothing else may.
        tell: is told, once for each, of nodes that get no work and why.
        most: pieces side by side at most, or None.

    Raises:
        AegisError: if there is no way in.
    """

    shares_disk = False

    def __init__(
        self,
        work: Work,
        address: str,
        hello: Callable[[], str],
        same: str,
        gpu: bool | None = True,
        tell: Callable[[str], None] = lambda text: None,
        most: int | None = None,
    ) -> None:
        self._hello, self._same, self._gpu, self._tell, self._most = hello, same, gpu, tell, most
        _connect(address)
        self._work, self._answer = work, ray.remote(max_retries=0)(_answer)
        self._greet = ray.remote(max_retries=0, num_cpus=0)(hello)
        # A node that was greeted has its slots and memory, and none if it gets no work.
        self._nodes: dict[str, tuple[list[Slot], int]] = {}
        self._greeted: dict[str, tuple[Any, float]] = {}
        self._running: dict[Any, tuple[int, Slot]] = {}
        self._alive: dict[str, dict[str, Any]] = {}
        self._count, self._looked = 0, 0.0
        self._usable = time.monotonic()

    def free(self) -> list[Slot]:
        """Lists the slots in which nothing runs.

        Raises:
            AegisError: if no node of the cluster can be used.
        """
        self._look()
        slots = [slot for id in self._nodes if id in self._alive for slot in self._nodes[id][0]]
        if slots:
            self._usable = time.monotonic()
        elif not self._greeted and time.monotonic() - self._usable > HELLO:
            raise AegisError(
                "a node that can be used", f"none of {len(self._alive)}", "See above why; or start one: ray start."
            )
        busy = {slot for _, slot in self._running.values()}
        most = len(slots) if self._most is None else self._most - len(busy)
        return [slot for slot in slots if slot not in busy][: max(0, most)]

    def submit(self, slot: Slot, number: int, message: bytes, share: Share) -> None:
        """Begins a piece; arguments as in ``Executor``."""
        options: dict[str, Any] = {
            "num_cpus": 1,
            "num_gpus": 1 / PER_GPU if slot.gpu else 0,
            # More than there is would wait for ever.
            "memory": min(share.memory, self._nodes[slot.node][1]),
            "scheduling_strategy": NodeAffinitySchedulingStrategy(slot.node, soft=False),
        }
        self._running[self._answer.options(**options).remote(self._work, message)] = (number, slot)

    def wait(self, seconds: float) -> list[Ended]:
        """Waits until a piece ends; as in ``Executor``."""
        if not self._running:
            time.sleep(seconds)
            return []
        first, _ = ray.wait([*self._running], timeout=seconds)
        if not first:
            return []
        done, _ = ray.wait([*self._running], num_returns=len(self._running), timeout=0)
        return [self._end(one, *self._running.pop(one)) for one in done]

    def close(self) -> None:
        """Ends whatever runs, and leaves the cluster."""
        for one in self._running:
            with suppress(RayError):
                ray.cancel(one, force=True)
        ray.shutdown()

    def _end(self, one: Any, number: int, slot: Slot) -> Ended:  # noqa: ANN401 - Ray's references have no type
        how: Ending
        try:
            return Ended(number, slot, "answered", ray.get(one))
        except OutOfMemoryError:
            how = "memory"
        except RayTaskError:
            # What the work raises itself it says in its answer; so this is its process, which cannot even begin.
            how = "died"
        except RayError:
            how = "died" if self._is_there(slot.node) else "lost"
        return Ended(number, slot, how)

    def _is_there(self, node: str) -> bool:
        """Tells whether a node runs, which Ray itself notices only after a while."""
        known = self._alive.get(node)
        there = known is not None and is_open(known["NodeManagerAddress"], known["NodeManagerPort"])
        if not there:
            self._nodes.pop(node, None)
            self._alive.pop(node, None)
        return there

    def _look(self) -> None:
        """Notes which nodes there are, and greets new ones."""
        now = time.monotonic()
        if now - self._looked >= EVERY:
            self._looked = now
            self._alive = {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}
            for id in self._alive.keys() - self._nodes.keys() - self._greeted.keys():
                where = NodeAffinitySchedulingStrategy(id, soft=False)
                self._greeted[id] = (self._greet.options(scheduling_strategy=where).remote(), now)
        for id, (one, since) in [*self._greeted.items()]:
            if ray.wait([one], timeout=0)[0] or id not in self._alive or now - since > HELLO:
                del self._greeted[id]
                self._admit(id, one)

    def _admit(self, id: str, one: Any) -> None:  # noqa: ANN401
        if id not in self._alive:
            return
        try:
            said = ray.get(one, timeout=0)
        except RayError as error:
            if not self._is_there(id):
                return
            said = str(error).strip().splitlines()[-1]
        self._nodes[id] = (self._slots(id) if said == self._same else [], int(self._resources(id).get("memory", 0)))
        if said != self._same:
            where = self._alive[id]["NodeManagerHostname"]
            self._tell(
                f"Node {id[:8]} on {where} gets no work: expected {self._same}; got {said}. Install the same there."
            )

    def _slots(self, id: str) -> list[Slot]:
        has = self._resources(id)
        cores, gpus = int(has.get("CPU", 0)), int(has.get("GPU", 0)) if self._gpu is not False else 0
        number = min(cores, PER_GPU * gpus) if gpus or self._gpu is None else cores
        self._count += number
        return [Slot(self._count - i, id, gpu=gpus > 0) for i in range(number)]

    def _resources(self, id: str) -> dict[str, float]:
        return dict(self._alive[id]["Resources"])


def _answer(work: Work, message: bytes) -> bytes:
    keep_freed_memory()
    return work(message)


def _connect(address: str) -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # Ray has no switch for it: what it says of dead nodes would come between our lines, pages long.
    if hasattr(worker, "print_to_stdstream"):
        worker.print_to_stdstream = lambda *_, **__: None
    try:
        # Workers would import what lies in the driver's folder, which may be one of strangers' files.
        with chdir(os.sep):
            ray.init(address, log_to_driver=False, configure_logging=False, logging_level=logging.CRITICAL)
    except (RuntimeError, ConnectionError, OSError, ValueError, RayError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        advice = "Use the same versions of Ray and Python everywhere." if "ersion" in str(error) else LOOK
        raise ConfigError(f"to join the cluster at {address}", "; ".join(lines[:4]) or repr(error), advice) from error
