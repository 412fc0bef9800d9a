"""The store: scans, reviews and arrays, from several processes at once."""

import multiprocessing
from contextlib import suppress

import numpy as np

from aegis.core.runtime import Cancelled
from aegis.records.review import Review
from aegis.store.store import Store
from tests.stored import EMBED, GATHER, Counted, change, dataset, files, record


def test_scans_come_back_newest_first(store):
    days = {day: record(f"2024-01-0{day}T00:00:00+00:00") for day in (2, 3, 1)}
    for day, kept in days.items():
        store.keep_scan(f"key {day}", kept)
    assert store.scans() == [(f"key {day}", days[day]) for day in (3, 2, 1)]
    assert [key for key, _ in store.scans(limit=2)] == ["key 3", "key 2"]
    assert store.find_scan("key 2") == days[2]
    assert store.find_scan("key 4") is None


def test_a_review_stays_with_its_scan(store):
    reviews = (Review("Draft."), Review("Seen.", {3: "confirmed"}, "Ann", "2024-01-02T03:04:05+00:00"))
    assert store.reviews_of("key") == ()
    for review in reviews:
        store.add_review("key", review)
    store.add_review("other", Review())
    store.keep_scan("key", record())
    # Another process would open the folder anew.
    assert Store(store.folder).reviews_of("key") == reviews
    assert Store(store.folder).reviews() == {"key": reviews, "other": (Review(),)}
    store.forget("key")
    assert store.reviews() == {"other": (Review(),)}


def test_a_record_is_found_under_its_key(store):
    for key, sentence in (("one", "One."), ("two", "Two.")):
        store.keep_scan(key, record(sentence=sentence))
    assert store.find_key(record(sentence="Two.")) == "two"
    assert store.find_key(record(sentence="Three.")) is None


def test_scans_of_uploads_are_found_by_their_owner_alone(store):
    for _ in range(2):
        store.own("key", "ann")
    store.own("other", "ann")
    assert Store(store.folder).owned_by("ann") == {"key", "other"}
    assert store.owned_by("bob") == set()
    store.forget("key")
    assert store.owned_by("ann") == {"other"}


def test_what_a_saved_scan_needs_is_whatever_was_used_since_it_began(store):
    steps = Counted().kept(store)
    evidence = steps.gather(None, dataset(), 1, GATHER)
    steps.embed(evidence, EMBED)
    store.keep_scan("first", record())
    # Another scan of the same class, which was found.
    Counted().kept(store).gather(None, dataset(), 1, GATHER)
    store.keep_scan("second", record())
    assert [len(store.only_needed_by(key)) for key in ("first", "second")] == [1, 0]
    assert store.is_whole("first")
    gone = store.forget("first")
    assert len(gone) == 1
    assert len(files(store.folder)) == 1
    assert store.find_scan("first") is None
    assert store.find_scan("second") == record()
    assert store.is_whole("second")
    assert len(store.forget("second")) == 1
    assert files(store.folder) == []


def test_a_scan_that_is_kept_again_is_replaced_and_needs_what_it_needed(store):
    store.keep("a", {"a": np.arange(3)})
    store.keep_scan("key", record())
    Store(store.folder).keep_scan("key", record(sentence="With a control."))
    assert [kept.sentence for _, kept in store.scans()] == ["With a control."]
    assert [array.key for array in store.only_needed_by("key")] == ["a"]


def test_a_cancelled_scan_leaves_nothing_to_the_next_one(store):
    with suppress(Cancelled), store.working("scan", "a.pt", "1" * 8):
        store.keep("a", {"a": np.arange(3)})
        raise Cancelled
    store.keep("b", {"a": np.arange(3)})
    store.keep_scan("key", record())
    assert [array.key for array in store.only_needed_by("key")] == ["b"]


def test_what_is_lost_or_damaged_makes_a_scan_less_than_whole(store):
    store.keep("a", {"a": np.arange(3)})
    store.keep_scan("key", record())
    path = store.folder / "arrays" / "a.npz"
    content = path.read_bytes()
    path.unlink()
    assert not store.is_whole("key")
    path.write_bytes(content[:-1])
    assert not store.is_whole("key")
    path.write_bytes(content)
    assert store.is_whole("key")
    # Damage that leaves the size is known from the moment it is read on.
    path.write_bytes(content[:-1] + b"x")
    assert store.load("a") is None
    assert not store.is_whole("key")
    store.keep("a", {"a": np.arange(3)})
    assert store.is_whole("key")


def test_a_file_that_the_index_does_not_know_is_taken_in(store):
    store.keep("a", {"a": np.arange(3)})
    change(store, "DELETE FROM arrays")
    assert store.load("a")["a"].tolist() == [0, 1, 2]
    assert store.check().files == 1
    # From then on its content is known.
    path = store.folder / "arrays" / "a.npz"
    path.write_bytes(path.read_bytes().replace(b"a.npy", b"b.npy"))
    assert store.load("a") is None


def work(folder, name, label, gate):
    store = Store(folder)
    gate.wait(60)
    for i in range(15):
        store.keep_scan(f"{name} {i}", record())
        store.keep("shared", {"a": np.full(1000, i)})
        for said in ("confirmed", "dismissed"):
            store.add_review("key", Review(str(i), {label: said}, name))


def test_what_two_processes_keep_at_once_both_lands(tmp_path):
    context = multiprocessing.get_context("spawn")
    gate, store = context.Barrier(2), Store(tmp_path)
    workers = [context.Process(target=work, args=(tmp_path, *who, gate)) for who in (("one", 1), ("two", 2))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert {key for key, _ in store.scans(limit=100)} == {f"{n} {i}" for n in ("one", "two") for i in range(15)}
    assert (store.load("shared")["a"] == 14).all()
    assert files(tmp_path) == ["shared.npz"]
    reviews = store.reviews_of("key")
    for name, label in (("one", 1), ("two", 2)):
        own = [(review.note, review.decisions) for review in reviews if review.author == name]
        assert own == [(str(i), {label: said}) for i in range(15) for said in ("confirmed", "dismissed")]
