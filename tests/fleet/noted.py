"""A fleet in the notes of a store, as if one had run or did."""

from pathlib import Path

from aegis.services.fleet.journal import Journal

RUN = "3f2a" * 4
VERDICTS = ("clean", "infected", "inconclusive")


def note_fleet(store: Path, count: int, scan: str = "", *, begun: float = 1.7e9, over: bool = False) -> Journal:
    """A fleet of this process whose suspects are in every state in turn.

    Args:
        store: the folder.
        count: number of suspects.
        scan: key of what those that are done open.
        begun: in seconds of Unix.
        over: whether it has ended.
    """
    journal = Journal(store)
    journal.begin(RUN, "/models", "2 processes of this machine", begun, ((_file(i), 100 + i) for i in range(count)))
    with journal._open() as notes:
        wanted = "UPDATE suspects SET state = ?, done = ?, total = ?, left = ?, seconds = ?, verdict = ?, flagged = ?,"
        rows = [(*_values(i, scan), i) for i in range(count)]
        notes.executemany(f"{wanted} scan = ?, message = ? WHERE number = ?", rows)
    if over:
        journal.end(RUN, begun + 60)
    return journal


def _file(i: int) -> str:
    return f"/models/<b>vendor {i:04}.safetensors"


def _values(i: int, scan: str) -> tuple[object, ...]:
    match i % 8:
        case 6:
            return "failed", 0, 0, None, 1.5, "", "", "", "Expected a checkpoint; got junk. Give another."
        case 7 if i % 16 == 7:
            return "running", 3, 10, 70.0, 30.0, "", "", "", ""
        case 7:
            return "waiting", 0, 0, None, 0.0, "", "", "", ""
    verdict = VERDICTS[i % 3]
    return "done", 10, 10, None, 100.0 + i, verdict, "7" if verdict == "infected" else "", scan, ""
