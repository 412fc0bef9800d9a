"""Who may import whom: reads imports with ``ast`` and names each one that breaks the rule."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOP = "app.py or pages"

# Rooms from the lowest on; each may import from those before its line, and from itself.
ROOMS = (
    ("core",),
    ("data", "models"),
    ("attacks",),
    ("metrics",),
    ("records",),
    ("detect", "baselines", "fleet"),
    ("lab",),
    ("store", "report"),
    ("experiments", "services"),
    ("aegis",),
    ("ui", "cli"),
    ("__main__", TOP),
)
RANKS = {room: rank for rank, rooms in enumerate(ROOMS) for room in rooms}
# Packages of pages: none knows another, and what two need lies beside or below them.
PAGES = {f"aegis.ui.{path.name}" for path in (ROOT / "aegis/ui").iterdir() if path.is_dir()} - {"aegis.ui.components"}
# Rooms that whoever only reads results imports: torch may be needed inside their functions, never before.
WITHOUT_TORCH = ("records", "report", "store")

CORE = {"numpy", "sklearn", "openTSNE", "umap", "torch", "torchvision", "timm", "safetensors", "pydantic", "jaxtyping"}
CORE |= {"PIL"}
LIBRARIES = {
    "records": CORE | {"scipy", "matplotlib"},
    "detect": CORE | {"scipy"},
    "baselines": CORE | {"scipy"},
    "ui": CORE | {"streamlit", "plotly", "pandas"},
    TOP: CORE | {"streamlit", "plotly"},
    "experiments": CORE | {"scipy", "matplotlib"},
    "report": CORE | {"matplotlib", "plotly", "reportlab"},
    "cli": CORE | {"typer", "rich"},
}
# A library that not everybody installs, and the one file that may import it.
RAY = ("ray", "aegis.fleet.ray")


def sources(root: Path = ROOT) -> list[Path]:
    """Every file that the rule is for."""
    return sorted([*(root / "aegis").rglob("*.py"), root / "app.py", *(root / "pages").glob("*.py")])


def room_of(module: str) -> str:
    """The room of a dotted module name of the package; the package itself is the room ``aegis``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "aegis"


def module_of(path: Path, root: Path = ROOT) -> str:
    """The dotted name of a file."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def breaches(source: str, module: str, package: bool = False) -> list[str]:
    """What a module imports although it may not, in words.

    Args:
        source: its text.
        module: its dotted name; anything outside ``aegis`` counts as a page.
        package: whether it is the ``__init__`` of a package.
    """
    room = room_of(module) if module.split(".")[0] == "aegis" else TOP
    found = []
    for line, name in imported(source, module if package else module.rpartition(".")[0]):
        root = name.split(".")[0]
        if root == "aegis":
            reason = _forbidden_room(room, _target(name)) or _forbidden_page(module, name)
        elif root in sys.stdlib_module_names or root in LIBRARIES.get(room, CORE) or (root, module) == RAY:
            reason = ""
        else:
            reason = f"{root} is no library of {room}"
        if reason:
            found.append(f"{module}:{line} imports {name}: {reason}")
    return found


def imported(source: str, package: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported, wherever in the text; relative names made absolute."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            start = ".".join(part for part in (base, node.module) if part)
            # "from aegis import pgd" imports a room, so names count as well.
            yield from ((node.lineno, f"{start}.{alias.name}") for alias in node.names)


def _target(name: str) -> str:
    # A name that is no file of the package is one that its door hands out.
    room = room_of(name)
    is_room = room in RANKS or any((ROOT / "aegis" / f).exists() for f in (room, f"{room}.py"))
    return room if is_room else "aegis"


def _forbidden_room(room: str, target: str) -> str:
    unknown = {room, target} - RANKS.keys()
    if unknown:
        return f"{', '.join(unknown)} has no rank; give it one in ROOMS, tests/layers.py"
    if room == target or RANKS[target] < RANKS[room]:
        return ""
    return f"{room} may not know {target}"


def _forbidden_page(module: str, name: str) -> str:
    theirs = [page for page in PAGES if f"{name}.".startswith(f"{page}.")]
    if not module.startswith("aegis.ui") or not theirs or f"{module}.".startswith(f"{theirs[0]}."):
        return ""
    return f"{module} may not know the page {theirs[0]}"


def at_import(source: str) -> Iterator[str]:
    """Dotted names of what a module imports before any of its functions is called."""
    todo = list(ast.parse(source).body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            todo += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            todo += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
