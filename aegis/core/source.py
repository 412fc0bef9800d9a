"""The source that a result came from: digests of what it depends on, and the revision of all of it."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

# What the costly steps depend on; a change in any other file leaves their results valid.
STEPS_CODE = (
    *("core/types", "core/runtime.py", "metrics.py", "store/packing.py", "attacks"),
    *("models/classifier.py", "models/fold.py", "models/architectures.py"),
    *("detect/assess.py", "detect/gather.py", "detect/embed.py", "detect/translate.py", "detect/features.py"),
    *("detect/trigger_search.py", "detect/starts.py", "detect/minimise.py"),
)
# What a whole scan depends on: also how classes are judged, and how that is put into words.
CODE = (
    *(*STEPS_CODE, "detect", "records/record.py", "records/consistency.py", "records/builders.py"),
    *("records/config.py", "records/presets.py", "records/null_distribution.py"),
    *("records/ranking.py", "records/caveats.py", "records/wording.py"),
)

ROOM = Path(__file__).parents[1]
UNKNOWN = "unknown"
COMMIT = re.compile(r"[0-9a-f]{40,64}")
# Seconds to wait for git, which has to look at some hundred files.
PATIENCE = 2.0


# Results of earlier versions are kept under the SHA-256 of the bytes of these files. The version that last did so and
# this one compute the same, shown by scans that agree bit for bit: what changed in between are places and names. So
# its digests stay the names of this source, until the source comes to mean something else. Meaning: name.
SAME_AS: Final = {
    "614bf5ef0836fd044abb4096538c49a8a4354e7a541dcac0ef8e56ae84c49b96": "3488734dd126bb047d69875fa6f7fd8f9c26ca7966dc336f5f4f29dffab4f9d3",  # noqa: E501
    "b4ba378262f725703a3a64b18336297c9aea7b084ac9367abb2a7f9d437f3e04": "d6416ddc7df4df380bce42347c5c79b34785b83e32d1673ab9a7afa7d00024e6",  # noqa: E501
}

# Parts of a syntax tree that say nothing of what it does, or that not every version of Python has.
MEANINGLESS = {"ctx", "kind", "type_comment", "type_ignores"}


@cache
def code_digest(code: tuple[str, ...] = CODE) -> str:
    """The name of what source files mean, 64 hexadecimal digits.

    Args:
        code: files and folders of the package.
    """
    meaning = meaning_of(code)
    return SAME_AS.get(meaning, meaning)


def meaning_of(code: tuple[str, ...]) -> str:
    """SHA-256 of what source files mean, in hex; docstrings, comments, imports and the files' names play no part.

    Args:
        code: files and folders of the package.
    """
    parts = [ROOM / part for part in code]
    files = {file for path in parts for file in (path.glob("*.py") if path.is_dir() else [path])}
    return hashlib.sha256("".join(sorted({_meaning(file.read_text("utf-8")) for file in files})).encode()).hexdigest()


def _meaning(source: str) -> str:
    return hashlib.sha256(repr(_walk(ast.parse(source))).encode()).hexdigest()


def _walk(node: object) -> object:
    """A syntax tree as nested tuples that every version of Python from 3.11 on makes alike."""
    if isinstance(node, list):
        return tuple(_walk(one) for one in node if not _is_import(one))
    if isinstance(node, ast.Constant):
        return "Constant", repr(node.value)
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: value for name, value in ast.iter_fields(node) if name not in MEANINGLESS}
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        fields["body"] = node.body[ast.get_docstring(node, clean=False) is not None :]
    # Fields that a later version added are empty wherever the code does not use what they are for.
    return type(node).__name__, tuple((n, _walk(v)) for n, v in fields.items() if v is not None and v != [])


def _is_import(node: object) -> bool:
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        return node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.Import | ast.ImportFrom)


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
    """The revision of the source that runs, as git tells it.

    Args:
        root: the folder that the repository lies in.
    """
    told = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    commit = told.stdout.strip() if told else ""
    if not COMMIT.fullmatch(commit):
        return Revision()
    diff = _git(root, "diff", "--no-ext-diff", "--quiet", "HEAD", "--", "aegis")
    return Revision(commit, {0: False, 1: True}.get(diff.returncode) if diff else None)


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    """What git answered; None without git, or if it took too long."""
    # Named, since a folder without a repository may lie in somebody else's.
    where = ("-C", os.fspath(root), "--git-dir=.git", "--work-tree=.")
    try:
        return subprocess.run(
            ("git", "-c", "core.fsmonitor=false", *where, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


if __name__ == "__main__":
    # The left side of SAME_AS, for a change that is shown to leave every number as it is.
    sys.stdout.write(f"{meaning_of(STEPS_CODE)}\n{meaning_of(CODE)}\n")
