"""One hostile or broken file: how it is made, what must be said of it, and how it would do harm elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Canary:
    """A file that exists only once code of a stranger has run.

    Args:
        path: of it.
    """

    path: Path

    @property
    def command(self) -> str:
        """For a shell."""
        return f"touch '{self.path}'"

    @property
    def code(self) -> str:
        """In Python."""
        return f"open({str(self.path)!r}, 'w').close()"

    @property
    def sang(self) -> bool:
        """Whether anything ran."""
        return self.path.exists()


Make = Callable[[Path, Canary], object]


@dataclass(frozen=True)
class Case:
    """A file that must be refused with one message.

    Args:
        name: of it.
        make: writes it to a path.
        words: that the message must hold.
        unsafe: what people do with such a file elsewhere, and what makes its canary sing; None where nothing would.
        limits: whether only the limits of a process of its own can end what it does.
        slow: whether it takes seconds to make; then benchmarks alone try it.
    """

    name: str
    make: Make
    words: tuple[str, ...]
    unsafe: Callable[[Path], object] | None = None
    limits: bool = False
    slow: bool = False

    @property
    def file(self) -> str:
        """The name of a file of images, with the ending of what it claims to be."""
        stem, dot, ending = self.name.partition(".")
        return f"images{dot}{ending}" if stem else self.name


@dataclass(frozen=True)
class Corpus:
    """Cases by name."""

    cases: dict[str, Case] = field(default_factory=dict)

    def add(self, name: str, make: Make | bytes, *words: str, **options: object) -> None:
        """One more, made by a function or of these bytes; options are the fields of ``Case``."""
        assert name not in self.cases, name
        way = make if callable(make) else lambda path, _: path.write_bytes(make)
        self.cases[name] = Case(name, way, words, **options)

    def case(self, *words: str, **options: object) -> Callable[[Make], Make]:
        """A decorator: one more, named as the function is; two underscores are the dot before a file's ending."""

        def register(make: Make) -> Make:
            name, _, ending = make.__name__.partition("__")
            title = name.replace("_", " ") + (f".{ending.replace('_', '.')}" if ending else "")
            self.add(title, make, *words, **options)
            return make

        return register


# Those of cards are loaded without naming an architecture.
CHECKPOINTS = Corpus()
CARDS = Corpus()
PICTURES = Corpus()
