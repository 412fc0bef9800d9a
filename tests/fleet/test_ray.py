"""A cluster of three nodes on this machine, each with a store of its own: who may come in, and what a killed one costs.

Without Ray these tests are skipped, which their summary says: pip install -e ".[fleet]".
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from aegis.records.record import ScanRecord
from aegis.services.suspect_list import Listed, read_suspects
from tests.layers import ROOT

from .cluster import Nodes, below
from .here import Here

pytest.importorskip("ray", reason='needs Ray: pip install -e ".[fleet]"', exc_type=ImportError)
LIMIT = 300


@pytest.fixture(scope="module")
def folder():
    # Not pytest's own, whose names are too long for sockets.
    path = Path(tempfile.mkdtemp(prefix="fleet-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def nodes(folder):
    (folder / "n").mkdir()
    nodes = Nodes(folder / "n")
    try:
        for i in range(3):
            nodes.start(folder / f"store-{i}")
        yield nodes
    finally:
        nodes.close()


@pytest.fixture(scope="module")
def suspects(finished, folder):
    """A list of three suspects that differ in their seeds."""
    rows = [
        Listed(checkpoint=finished.suspects / "suspect.safetensors", data=str(finished.images), seed=seed)
        for seed in range(3)
    ]
    path = folder / "list.jsonl"
    path.write_text("".join(row.model_dump_json(exclude_none=True) + "\n" for row in rows))
    return path


def command(suspects, nodes, *options):
    where = ("--address", nodes.address)
    scan = ("fleet", "scan", suspects, "--preset", "paper", "--precision", "fp32", "--quiet", *where, *options)
    return [sys.executable, "-P", "-m", "aegis", *map(str, scan)]


def start(suspects, nodes, store, *options, cwd=None, **changes):
    return subprocess.Popen(
        command(suspects, nodes, *options),
        env=nodes.environment | {"AEGIS_STORE": str(store)} | changes,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def records(store):
    """What the store holds, apart from times."""
    from aegis.store.store import Store

    scans = Store(store).scans(None)
    timeless = [record.model_copy(update={"created": "", "seconds": {}}) for _, record in scans]
    assert all(Store(store).is_whole(key) for key, _ in scans)
    return sorted(map(ScanRecord.model_dump_json, timeless))


@pytest.fixture(scope="module")
def local(suspects, folder):
    """The store of the same fleet in this process."""
    from aegis.services.fleet.drive import Drive
    from aegis.services.fleet.journal import Journal
    from aegis.services.fleet.request import FleetScan
    from aegis.services.fleet.work import answer
    from aegis.store.store import Store

    listed, _ = read_suspects(suspects)
    scans = [FleetScan(suspect=one, preset="paper", precision="fp32") for one in listed]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AEGIS_STORE", str(folder / "local"))
        Drive(scans, Here(answer), Journal(Store().folder), lambda *_: None).run("list", "here")
    return folder / "local"


def test_who_has_no_token_is_turned_away(suspects, nodes, folder, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("0" * 64)
    for changes in ({"RAY_AUTH_TOKEN_PATH": str(wrong)}, {"RAY_AUTH_TOKEN_PATH": str(tmp_path / "none")}):
        client = start(suspects, nodes, folder / "none", **changes)
        out, said = client.communicate(timeout=LIMIT)
        assert (client.returncode, out) == (2, "")
        assert said.splitlines()[-1].startswith("aegis: Expected the token of the cluster at ")
        assert said.count("\n") == 1
    assert not (folder / "none" / "fleet.sqlite").exists()


@pytest.fixture
def odd(nodes, folder):
    """The store of a fourth node, where another version of AEGIS is."""
    other = folder / "other"
    shutil.copytree(ROOT / "aegis", other / "aegis")
    version = other / "aegis" / "core" / "version.py"
    version.write_text(version.read_text().replace("__version__ = ", "__version__ = '0.0.0'  # ", 1))
    node = nodes.start(folder / "store-odd", PYTHONPATH=str(other))
    yield folder / "store-odd"
    nodes.kill(node)


def test_three_nodes_find_what_this_machine_finds_though_a_driver_and_a_node_are_killed(
    suspects, nodes, odd, folder, local
):
    lines, store = folder / "out.jsonl", folder / "driver"
    # A folder of strangers' files, of which nodes must import none.
    (folder / "strangers").mkdir()
    (folder / "strangers" / "aegis.py").write_text(f"open({str(folder / 'imported')!r}, 'w')")
    # Whatever mode the user's shell says, the token counts.
    away = {"cwd": folder / "strangers", "RAY_AUTH_MODE": "disabled"}
    first = start(suspects, nodes, store, "--json", lines, **away)
    _await_piece(store, 1)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    second = start(suspects, nodes, store, "--json", lines, **away)
    # The head has no second.
    nodes.kill(nodes.running[2])
    nodes.start(folder / "store-new")
    seen = set()
    while second.poll() is None:
        pids = [second.pid, *(pid for node in nodes.running for pid in (node.pid, *below(node.pid)))]
        for pid in pids:
            try:
                seen.add(Path(f"/proc/{pid}/cmdline").read_bytes())
            except OSError:
                continue
        time.sleep(0.2)
    out, said = second.communicate()
    assert second.returncode in (0, 1, 3), said
    assert out.splitlines()[0].split() == ["outcome", "suspects", "seconds"]
    assert len(lines.read_text().splitlines()) == 3
    assert records(store) == records(local)
    assert not (folder / "imported").exists()
    # The node with something else got no work, which is all that was to be told: what Ray says is for others.
    assert len(said.splitlines()) == 1
    assert "gets no work: expected AEGIS" in said
    assert "got AEGIS 0.0.0 of source" in said
    assert not (odd / "arrays").exists()
    # The token is nowhere.
    token = nodes.token.encode()
    texts = [out.encode(), said.encode(), lines.read_bytes(), *seen]
    texts += [path.read_bytes() for path in store.rglob("*") if path.is_file()]
    texts += [path.read_bytes() for path in (folder / "n" / "ray").rglob("*.*") if path.is_file()]
    assert not [text for text in texts if token in text]


def test_tasks_of_the_bank_run_there_as_well(nodes, tmp_path):
    script = f"""
from pathlib import Path
from aegis.cli.places import place_of_tasks
from aegis.fleet.tasks import run_all
from tests.fleet.test_tasks import Square, Sum
tasks = [Sum(5, Path({str(tmp_path)!r}), other=3), Square(3, Path({str(tmp_path)!r}))]
print(list(run_all(tasks, after={{0: 1}}, executor=place_of_tasks({nodes.address!r}, False))))
"""
    ran = subprocess.run(
        [sys.executable, "-P", "-c", script], env=nodes.environment, capture_output=True, text=True, timeout=LIMIT
    )
    assert ran.stdout == "[(1, 9, True), (0, 14, True)]\n", ran.stderr


def test_a_cluster_that_asks_nobody_is_refused_unless_told(folder):
    (folder / "o").mkdir()
    # Whether it is taken shows without a network.
    suspects = folder / "bad.jsonl"
    suspects.write_text(json.dumps({"checkpoint": str(folder / "none.pt")}))
    nodes = Nodes(folder / "o", token="")
    try:
        nodes.start(folder / "store-open")
        refused = start(suspects, nodes, folder / "open")
        _, said = refused.communicate(timeout=LIMIT)
        assert refused.returncode == 2
        assert "Expected a cluster that asks for a token; got one at 127.0.0.1" in said
        taken = start(suspects, nodes, folder / "open", "--insecure")
        out, _ = taken.communicate(timeout=LIMIT)
        assert taken.returncode == 2
        assert out.splitlines()[-1].split()[:3] == ["not", "scanned", "1"]
    finally:
        nodes.close()


def _await_piece(store, number):
    """Waits until so many pieces are kept."""
    from aegis.services.fleet.journal import Journal

    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        if (store / "fleet.sqlite").exists():
            journal = Journal(store)
            done = [one for run in journal.runs() for one in journal.suspects(run.id)]
            if sum(one.total > 0 for one in done) >= number:
                return
        time.sleep(0.1)
    raise AssertionError("no piece was ever finished")
