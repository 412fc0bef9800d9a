"""A fleet from list to records: found, done, refused, ended; what was finished is never done again."""

import json
import os
import time
from dataclasses import replace
from functools import partial

import pytest

from aegis.core.errors import StoreError
from aegis.core.runtime import Cancelled
from aegis.fleet.executor import Slot
from aegis.fleet.local import Processes
from aegis.fleet.messages import pack, unpack
from aegis.services.fleet import work
from aegis.services.fleet.drive import DEAD, MEMORY, Drive
from aegis.services.fleet.journal import Journal
from aegis.services.fleet.request import FleetScan
from aegis.services.suspect_list import Listed
from aegis.store.index import open_index
from aegis.store.store import Store
from tests.finished import CONFIG
from tests.fleet.here import End, Here
from tests.suspects import write_infected

TIMES = {"created": "", "seconds": {}}


@pytest.fixture
def scan(finished, tmp_path, monkeypatch):
    """The scan of a small model, over an empty store."""
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    monkeypatch.setattr("aegis.services.fleet.request.preset", lambda *_: CONFIG)
    # One class a piece.
    monkeypatch.setattr("aegis.services.fleet.pace.LEAST", 1e-9)
    suspect = Listed(checkpoint=finished.suspects / "suspect.safetensors", data=str(finished.images))
    return FleetScan(suspect=suspect, device="cpu", precision="fp32")


def drive(scans, executor, **told):
    """What came of each, in the order of their ends, and the journal."""
    journal, ended = Journal(Store().folder), []
    fleet = Drive(scans, executor, journal, lambda number, scanned: ended.append((number, scanned)), **told)
    fleet.run("list.csv", "here")
    return ended, journal


def elsewhere(folder, message):
    """Answers as a node with a store of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AEGIS_STORE", str(folder))
        return work.answer(message)


@pytest.mark.parametrize("shared", [True, False])
def test_a_record_is_that_of_a_scan_in_one_go(scan, tmp_path, shared):
    request = scan.request()
    suspect = request.load()
    serial = request.run(suspect, request.steps(suspect, None))
    node = work.answer if shared else partial(elsewhere, tmp_path / "node")
    executor = Here(node)
    [(_, scanned)], journal = drive([scan], executor)
    assert scanned.record.model_copy(update=TIMES) == serial.model_copy(update=TIMES)
    assert (scanned.found, scanned.outcome) == (False, serial.verdict)
    # Only its own store tells a worker that nothing needs to be sent.
    answers = [unpack(elsewhere(tmp_path / "node", message)) for _, message, _ in executor.begun[:1]]
    assert answers[0][1]
    assert Store().find_scan(scanned.key) == scanned.record
    assert Store().is_whole(scanned.key)
    assert journal.pieces(scanned.key) == {}
    assert len(executor.begun) == 1 + len(serial.classes)
    # It is found the next time, by content.
    again = Here(node)
    [(_, found)], _ = drive([scan], again)
    assert (found.found, found.key, found.record) == (True, scanned.key, scanned.record)
    assert again.begun == []


def test_what_was_finished_before_the_driver_ended_is_not_done_again(scan):
    executor = Here(work.answer)
    stop = iter([False] * 3 + [True])

    def answer(message):
        if next(stop):
            raise KeyboardInterrupt
        return work.answer(message)

    with pytest.raises(KeyboardInterrupt):
        drive([scan], Here(answer))
    [(_, scanned)], _ = drive([scan], executor)
    said = [unpack(message)[0] for _, message, _ in executor.begun]
    # It had measured the suspect, and examined two classes of four.
    assert [one["labels"] for one in said] == [[2], [3]]
    # The scan protects all arrays: of the measurement, and two of each class.
    with open_index(Store().folder / "index.sqlite") as index:
        needed = index.execute("SELECT COUNT(*) FROM needs WHERE scan = ?", (scanned.key,)).fetchone()
    assert needed == (1 + 2 * 4,)
    assert scanned.record.verdict == "inconclusive"


def test_one_that_ends_its_process_twice_is_told_and_the_others_go_on(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    scans = []
    for name, size in (("small", 1), ("deadly", 3), ("large", 4)):
        (tmp_path / name).write_bytes(bytes(size))
        scans.append(FleetScan(suspect=Listed(checkpoint=tmp_path / name)))
    executor = Processes(refuse, 1)
    ended, journal = drive(scans, executor)
    # The largest first.
    assert [(number, scanned.message) for number, scanned in ended] == [(2, "No."), (1, DEAD), (0, "No.")]
    states = journal.suspects(journal.runs()[0].id)
    assert [(one.state, one.message) for one in states] == [("failed", "No."), ("failed", DEAD), ("failed", "No.")]
    assert journal.runs()[0].ended is not None


def refuse(message):
    """Refuses every suspect; of the one called *deadly*, its process ends."""
    if "deadly" in unpack(message)[0]["scan"]:
        os._exit(1)
    return pack({"error": "No.", "memory": False})


def test_whatever_a_suspect_sets_off_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    (tmp_path / "empty").mkdir()
    paths = [tmp_path / "none.pt", tmp_path / "empty"]
    scans = [FleetScan(suspect=Listed(checkpoint=path), data="samples:mnist") for path in paths]
    messages = {number: scanned.message for number, scanned in drive(scans, Here(work.answer))[0]}
    assert "none.pt" in messages[0]
    assert "a folder with model.safetensors" in messages[1]
    # A defect of ours: text is no number.
    monkeypatch.setattr("aegis.services.fleet.work._load", int)
    infected = FleetScan(suspect=Listed(checkpoint=write_infected(tmp_path)), data="samples:mnist")
    [(_, scanned)], _ = drive([infected], Here(work.answer))
    assert "A defect in AEGIS" in scanned.message


def test_too_little_memory_halves_the_classes_and_is_told_at_one(scan, monkeypatch):
    monkeypatch.setattr("aegis.services.fleet.pace.LEAST", 1e9)

    def answer(message):
        labels = unpack(message)[0].get("labels", [])
        if len(labels) > 1:
            raise End("memory")
        return work.answer(message)

    executor = Here(answer)
    [(_, scanned)], _ = drive([scan], executor)
    tried = [unpack(message)[0].get("labels") for _, message, _ in executor.begun]
    assert tried == [None, [0, 1, 2, 3], [0, 1], [2, 3], [0], [1], [2], [3]]
    assert scanned.record is not None
    assert all(share.memory > 2**30 for _, _, share in executor.begun)

    def never(message):
        return pack({"error": "too little", "memory": True})

    other = replace(scan, seed=1)
    [(_, scanned)], _ = drive([other], Here(never))
    assert scanned.message == "too little"

    def killed(message):
        raise End("memory")

    [(_, scanned)], _ = drive([other], Here(killed))
    assert scanned.message == MEMORY


def test_a_node_without_the_files_gets_other_work(scan):
    slots = (Slot(0, "bare"), Slot(1, "full"))
    executor = Here(lambda message: b"", slots)

    def answer(message):
        slot, _, _ = executor.begun[-1]
        return work.answer(message) if slot.node == "full" else pack({"error": "no file on bare", "missing": ["file"]})

    executor.work = answer
    [(_, scanned)], _ = drive([scan], executor)
    assert scanned.record is not None
    executor.slots = slots[:1]
    [(_, scanned)], _ = drive([replace(scan, seed=1)], executor)
    assert "no file on bare" in scanned.message


def test_a_worker_names_what_it_lacks(tmp_path, monkeypatch):
    monkeypatch.setenv("AEGIS_STORE", str(tmp_path / "store"))
    gone = str(tmp_path / "gone.npz")
    monkeypatch.chdir(tmp_path)
    needs = {"needs": ["here", gone], "folder": str(tmp_path / "there")}
    (tmp_path / "there" / "here").mkdir(parents=True)
    said, _ = unpack(work.answer(pack({"do": "measure"} | needs)))
    assert said["missing"] == [gone]
    said, _ = unpack(work.answer(b"something else"))
    assert "the same version of AEGIS" in said["error"]


def test_a_checkpoint_that_changed_meanwhile_is_told(scan, tmp_path):
    executor = Here(work.answer)

    def answer(message):
        said, files = unpack(message)
        return work.answer(pack(said | ({"digest": "other"} if "labels" in said else {}), files))

    executor.work = answer
    [(_, scanned)], _ = drive([scan], executor)
    assert "Expected the checkpoint that was measured" in scanned.message


def test_one_suspect_is_ended_and_then_all(scan, tmp_path):
    scans = [replace(scan, seed=seed) for seed in (0, 1, 2)]
    journal, ended = Journal(Store().folder), []

    def answer(message):
        # Each look at the journal comes before a piece.
        if len(executor.begun) == 2:
            journal.cancel(fleet.id, [0, 2])
        if len(executor.begun) == 4:
            journal.cancel(fleet.id)
        return work.answer(message)

    executor = Here(answer)
    fleet = Drive(scans, executor, journal, lambda number, scanned: ended.append((number, scanned.cancelled)))
    with pytest.raises(Cancelled):
        fleet.run("list.csv", "here")
    assert ended == [(0, True), (2, True)]
    assert executor.closed
    assert [one.state for one in journal.suspects(fleet.id)] == ["cancelled"] * 3
    assert journal.runs()[0].cancelled
    assert journal.runs()[0].ended <= time.time()


def test_a_full_disk_of_the_driver_is_told_and_of_a_node_is_no_loss(scan, tmp_path, monkeypatch):
    def full(change):
        def change_it(self, *arguments):
            if self.folder.name == name:
                raise StoreError("to keep results", "a full disk", "Free some space.")
            return change(self, *arguments)

        return change_it

    name = "node"
    for change in ("put", "claim_all"):
        monkeypatch.setattr(Store, change, full(getattr(Store, change)))
    [(_, scanned)], _ = drive([scan], Here(partial(elsewhere, tmp_path / "node")))
    assert Store().is_whole(scanned.key)
    name = "store"
    [(_, scanned)], _ = drive([replace(scan, seed=1)], Here(partial(elsewhere, tmp_path / "node")))
    assert "a full disk" in scanned.message


def test_messages_hold_json_and_arrays_only(scan):
    executor = Here(work.answer)
    drive([scan], executor)
    for _, message, _ in executor.begun:
        said, files = unpack(message)
        assert json.loads(said["scan"])["suspect"]["checkpoint"].endswith("suspect.safetensors")
        # What zip files begin with.
        assert all(content.startswith(b"PK") for content in files.values())
