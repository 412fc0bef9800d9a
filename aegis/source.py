"""The source that a result came from: digests of what it depends on, and the revision of all of it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# What the costly steps depend on; a change in any other file leaves their results valid.
STEPS_CODE = (
    *("types", "runtime.py", "evaluate.py", "pgd.py", "packing.py"),
    *("models/classifier.py", "models/fold.py", "models/architectures.py"),
    *("detect/assess.py", "detect/gather.py", "detect/embed.py"),
    *("detect/universal.py", "detect/translate.py", "detect/features.py"),
    *("detect/transplant.py", "detect/starts.py", "detect/stamps.py", "detect/prune.py"),
)
# What a whole scan depends on: also how classes are judged.
CODE = (*STEPS_CODE, "detect")

ROOM = Path(__file__).parent
UNKNOWN = "unknown"
COMMIT = re.compile(r"[0-9a-f]{40,64}")
# Seconds to wait for git, which has to look at some hundred files.
PATIENCE = 2.0


@cache
def code_digest(code: tuple[str, ...] = CODE) -> str:
    """SHA-256 over source files, in hex."""
    sha = hashlib.sha256()
    for part in code:
        path = ROOM / part
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            sha.update(file.read_bytes())
    return sha.hexdigest()


@dataclass(frozen=True)
class Revision:
    """A state of the project's history.

    Args:
        commit: in hex, or *unknown* where AEGIS does not run from a repository.
        changed: whether the source differs from it; None where that cannot be said.
    """

    commit: str = UNKNOWN
    changed: bool | None = None


@cache
def revision(root: Path = ROOM.parent) -> Revision:
    """The revision of the source that runs; reads the repository's files, and asks git only whether it was changed.

    Args:
        root: the folder that the repository lies in.
    """
    try:
        commit = _commit(_git_folder(root / ".git"))
    except (OSError, UnicodeDecodeError):
        return Revision()
    return Revision(commit, _is_changed(root)) if COMMIT.fullmatch(commit) else Revision()


def _git_folder(path: Path) -> Path:
    # A linked working tree has a file there that names the folder.
    return path if path.is_dir() else path.parent / path.read_text().removeprefix("gitdir:").strip()


def _commit(folder: Path) -> str:
    head = (folder / "HEAD").read_text().strip()
    if not head.startswith("ref:"):
        return head
    name = head.removeprefix("ref:").strip()
    shared = folder / "commondir"
    common = folder / shared.read_text().strip() if shared.exists() else folder
    if (common / name).exists():
        return (common / name).read_text().strip()
    lines = (line.split() for line in (common / "packed-refs").read_text().splitlines())
    return next((parts[0] for parts in lines if parts[1:] == [name]), "")


def _is_changed(root: Path) -> bool | None:
    diff = ("diff", "--no-ext-diff", "--quiet", "HEAD", "--", "aegis")
    command = ["git", "-c", "core.fsmonitor=false", "-C", os.fspath(root), *diff]
    try:
        code = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        ).returncode
    except (OSError, subprocess.SubprocessError):
        return None
    return {0: False, 1: True}.get(code)
