"""Ray nodes of a test: each a process of its own with a store of its own, on this machine, ended by their ids."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.layers import ROOT

PATIENCE = 60.0


@dataclass
class Nodes:
    """A cluster of nodes on this machine.

    Args:
        folder: for their files; short, since sockets have short names.
        token: that they ask for; empty for none.
    """

    folder: Path
    token: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    port: int = 0
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Host and port of the head."""
        return f"127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Variables of those that may come in."""
        secret = self.folder / "token"
        if self.token and not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(self.token)
        mode = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(secret)} if self.token else {}
        home = {"HOME": str(self.folder), "RAY_TMPDIR": str(self.folder), "RAY_USAGE_STATS_ENABLED": "0"}
        plain = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        return kept | plain | home | (mode or {"RAY_AUTH_MODE": "disabled"})

    def start(self, store: Path | None = None, cores: int = 1, **changes: str) -> subprocess.Popen[bytes]:
        """Starts a node, the first of which is the head.

        Args:
            store: its own; None for that of the environment.
            cores: that it says it has.
            changes: of its environment.
        """
        head = not self.port
        if head:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        where = ["--head", f"--port={self.port}"] if head else [f"--address={self.address}"]
        where += ["--include-dashboard=false", f"--temp-dir={self.folder}/ray"] if head else []
        command = [sys.executable, "-P", "-m", "ray.scripts.scripts", "start", *where]
        command += [f"--num-cpus={cores}", "--object-store-memory=100000000", "--block", "--disable-usage-stats"]
        environment = self.environment | changes | ({"AEGIS_STORE": str(store)} if store else {})
        log = self.folder / f"node-{secrets.token_hex(4)}.log"
        with log.open("wb") as out:
            node = subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True)
        self.running.append(node)
        self._await(b"Ray runtime started", log)
        return node

    def kill(self, node: subprocess.Popen[bytes]) -> None:
        """Ends a node and all its processes at once, by their ids."""
        for pid in (node.pid, *below(node.pid)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        node.wait()
        self.running.remove(node)

    def close(self) -> None:
        """Ends all nodes, the head last."""
        for node in reversed([*self.running]):
            self.kill(node)

    def _await(self, words: bytes, log: Path) -> None:
        until = time.monotonic() + PATIENCE
        while words not in log.read_bytes():
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)


def below(pid: int) -> list[int]:
    """Ids of the processes that a process started, and of theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *below(child)]
    return found
