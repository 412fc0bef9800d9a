"""Identifies the source code of a result: a digest of the files it depends on, and the git commit."""

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

# Files that the costly steps depend on; a change in any other file leaves their results valid.
STEPS_CODE = (
    *("core/types", "core/runtime.py", "core/threads.py", "core/graphs.py", "metrics.py"),
    *("store/packing.py", "attacks"),
    *("models/classifier.py", "models/fold.py", "models/rectify.py", "models/architectures.py"),
    *("models/anatomy.py", "models/outputs.py", "models/placement.py"),
    *("detect/assess.py", "detect/gather.py", "detect/embed.py", "detect/translate.py", "detect/features.py"),
    *("detect/trigger_search.py", "detect/optimise.py", "detect/success.py", "detect/starts.py", "detect/minimise.py"),
    *("detect/bounds.py", "detect/sources.py"),
)
# Results on networks of models/families.py depend on that file too. It is left out, since it would rename all results:
# whoever changes what such a network computes gives the network another name.
# Files that a whole scan depends on: also those that judge classes and word the verdict.
CODE = (
    *(*STEPS_CODE, "detect", "records/record.py", "records/consistency.py", "records/builders.py"),
    *(
        "records/config.py",
        "records/presets.py",
        "records/null_distribution.py",
        "records/references.py",
        "records/reference_files.py",
        "records/fitting.py",
    ),
    *("records/ranking.py", "records/caveats.py", "records/wording.py"),
)

ROOM = Path(__file__).parents[1]
UNKNOWN = "unknown"
COMMIT = re.compile(r"[0-9a-f]{40,64}")
# Seconds to wait for git, which compares some hundred files with the last commit.
PATIENCE = 2.0


# A source that only moves or renames code keeps the digest of the one before, so that results stay valid. Each entry
# maps a digest of meaning to the digest of an earlier source that computes the same numbers, as scans that agree bit by
# bit have shown; delete it when the meaning changes.
SAME_AS: Final[dict[str, str]] = {
    "f1c9c25003933bd22727125332c62650c2db0d191fd29bc6171165cad92895e9": "74bf62a9d40617d3c5b789f317d44517723e4f53db2e8949caddc464c4fa7b0a",  # noqa: E501
    "40d4517085bee736036e90533c96d6833c243074678b9f7d53033aac05b8d54d": "8af4dcfdf3a69d24ee5fb1f4161671a652a79aa7a0e40fa01dfb2a96f4a03f38",  # noqa: E501
}

# Fields of a syntax tree that do not change what the code does, or that only some versions of Python have.
MEANINGLESS = {"ctx", "kind", "type_comment", "type_ignores"}


@cache
def code_digest(code: tuple[str, ...] = CODE) -> str:
    """Computes the digest under which results of this source are stored.

    Args:
        code: files and folders, relative to the package.

    Returns:
        64 hexadecimal digits; the digest of an earlier version where ``SAME_AS`` says that both compute the same.
    """
    meaning = meaning_of(code)
    return SAME_AS.get(meaning, meaning)


def meaning_of(code: tuple[str, ...]) -> str:
    """Computes the SHA-256 of what source files do; docstrings, comments, imports and file names do not change it.

    Args:
        code: files and folders, relative to the package.

    Returns:
        64 hexadecimal digits.
    """
    parts = [ROOM / part for part in code]
    files = {file for path in parts for file in (path.glob("*.py") if path.is_dir() else [path])}
    return hashlib.sha256("".join(sorted({_meaning(file.read_text("utf-8")) for file in files})).encode()).hexdigest()


@cache
def _meaning(source: str) -> str:
    return hashlib.sha256(repr(_walk(ast.parse(source))).encode()).hexdigest()


def _walk(node: object) -> object:
    """Turns a syntax tree into nested tuples that are equal under every version of Python from 3.11 on."""
    if isinstance(node, list):
        return tuple(_walk(one) for one in node if not _is_import(one))
    if isinstance(node, ast.Constant):
        return "Constant", repr(node.value)
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: value for name, value in ast.iter_fields(node) if name not in MEANINGLESS}
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        fields["body"] = node.body[ast.get_docstring(node, clean=False) is not None :]
    # Fields added by later Python versions are empty unless the code uses the new syntax, so empty ones do not count.
    return type(node).__name__, tuple((n, _walk(v)) for n, v in fields.items() if v is not None and v != [])


def _is_import(node: object) -> bool:
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        return node.test.id == "TYPE_CHECKING"
    return isinstance(node, ast.Import | ast.ImportFrom)


@dataclass(frozen=True)
class Revision:
    """Identifies a commit of the project's history.

    Args:
        commit: the commit in hex, or *unknown* where AEGIS does not run from a repository.
        changed: whether the source differs from the commit; None where git cannot say.
    """

    commit: str = UNKNOWN
    changed: bool | None = None


@cache
def revision(root: Path = ROOM.parent) -> Revision:
    """Asks git for the commit of the running source.

    Args:
        root: the folder of the repository.

    Returns:
        The commit, or *unknown* without git or without a repository.
    """
    told = _git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    commit = told.stdout.strip() if told else ""
    if not COMMIT.fullmatch(commit):
        return Revision()
    diff = _git(root, "diff", "--no-ext-diff", "--quiet", "HEAD", "--", "aegis")
    return Revision(commit, {0: False, 1: True}.get(diff.returncode) if diff else None)


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    """Runs git and returns its answer; None without git, or if it takes longer than ``PATIENCE``."""
    # The repository is named explicitly, since a folder without one may lie inside somebody else's repository.
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
    # Prints the keys for SAME_AS, to be entered after a change that is shown to leave every number as it is.
    sys.stdout.write(f"{meaning_of(STEPS_CODE)}\n{meaning_of(CODE)}\n")
