"""Finds a Ray cluster and finds out whether it asks for a token, before anything joins it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from aegis.core.errors import ConfigError

LOOK = "Look at it with: ray status --address HOST:PORT."
# Seconds to wait for an answer.
PATIENCE, SLOW = 5.0, 60.0
MODE = "RAY_AUTH_MODE"
Door = Literal["open", "closed", "silent"]
# Ray's own client reads the mode of authentication once, when it is loaded; hence a process of its own.
_KNOCK = """
import sys
from ray._raylet import GcsClient
from ray.exceptions import AuthenticationError
try:
    GcsClient(address=sys.argv[1]).get_all_node_info(timeout=5)
except AuthenticationError:
    print("closed")
else:
    print("open")
"""


def find_cluster(address: str, insecure: bool) -> str:
    """Finds a cluster that lets this process in, and no process without a token.

    Args:
        address: ``HOST:PORT``, or ``auto`` for the one of this machine.
        insecure: take a cluster that asks for no token as well.

    Returns:
        Host and port.

    Raises:
        ConfigError: if there is none, it refuses the token, or it asks for none; also without Ray.
    """
    if find_spec("ray") is None:
        raise ConfigError(
            "Ray for --address",
            "none that is installed",
            "Install it: pip install 'ray>=2.59,<3'. Or leave --address out, to work on this machine.",
        )
    host, port = _parts(_of_this_machine() if address == "auto" else address)
    if not is_open(host, port):
        raise ConfigError(
            "a Ray cluster at --address", f"nothing that answers at {host}:{port}", "Start one: see docs/fleet.md."
        )
    whole = f"{host}:{port}"
    anyone = _knock(whole, "disabled")
    if anyone == "silent":
        raise ConfigError("a Ray cluster at --address", f"something else at {whole}", LOOK)
    if anyone == "open":
        if not insecure:
            raise ConfigError(
                "a cluster that asks for a token",
                f"one at {whole} that runs the code of whoever reaches it",
                "Start it with RAY_AUTH_MODE=token (docs/fleet.md), or say --insecure on a network of your own.",
            )
        return whole
    # Ray reads it when it is first imported, which must be later. Said here, so that the token alone is enough.
    os.environ[MODE] = "token"
    if _knock(whole, "token") != "open":
        raise ConfigError(
            f"the token of the cluster at {whole}",
            "none, or another one",
            "Name its file in RAY_AUTH_TOKEN_PATH, or put it in ~/.ray/auth_token.",
        )
    return whole


def is_open(host: str, port: int) -> bool:
    """Tells whether anything listens at a port."""
    try:
        socket.create_connection((host, port), PATIENCE).close()
    except OSError:
        return False
    return True


def _knock(address: str, mode: str) -> Door:
    try:
        ran = subprocess.run(
            [sys.executable, "-P", "-c", _KNOCK, address],
            env=os.environ | {MODE: mode},
            capture_output=True,
            text=True,
            timeout=SLOW,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "silent"
    words = ran.stdout.split()
    return "open" if words[-1:] == ["open"] else "closed" if words[-1:] == ["closed"] else "silent"


def _of_this_machine() -> str:
    if named := os.environ.get("RAY_ADDRESS"):
        return named
    noted = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "ray_current_cluster"
    try:
        return noted.read_text().strip()
    except OSError as error:
        raise ConfigError(
            "a Ray cluster on this machine",
            "none that says where it is",
            "Start one: see docs/fleet.md; or name it: --address HOST:PORT.",
        ) from error


def _parts(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 2**16):
        raise ConfigError("auto or HOST:PORT for --address", repr(address), "Write for example 127.0.0.1:6379.")
    return host, int(port)
