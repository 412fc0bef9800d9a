"""Reference models are made in small tasks that are kept, found by their images, and refused where they do not fit."""

from dataclasses import replace

import numpy as np
import pytest

from aegis.core.errors import ConfigError, DataError, StoreError
from aegis.core.runtime import Cancelled, Runtime
from aegis.data import load_dataset
from aegis.models.card import read_truth
from aegis.records import presets
from aegis.records.reference_files import write_references
from aegis.services import reference_recipes as recipes
from aegis.services import references as service
from aegis.services.reference_weakness import weakness
from aegis.services.references import ReferencePlan, find_references, make_references, with_references
from tests.detect.toy import NAMES, SMALL, pictures


def written(path, per_class=60, test=12):
    """The toy's pictures as a file."""
    train, held_out = (pictures(seed, count) for seed, count in ((0, per_class), (1, test)))

    def arrays(images):
        return (images.pixels * 255).round().astype(np.uint8).transpose(0, 2, 3, 1), images.labels

    (x_train, y_train), (x_test, y_test) = arrays(train), arrays(held_out)
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return str(path)


def make_small(patch):
    """Trains on few images, and searches as the toy's scan does."""
    patch.setattr(recipes, "preset", lambda *_: SMALL)
    patch.setattr(recipes, "SEEN", 1000)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two small reference models of the toy's pictures, with what was told of progress."""
    folder, told = tmp_path_factory.mktemp("references"), []
    with pytest.MonkeyPatch.context() as patch:
        make_small(patch)
        plan = ReferencePlan(source=written(folder / "toy.npz"), models=2, device="cpu", folder=folder)
        found = make_references(plan, 1, told.append)
        yield plan, found, told


def test_every_class_and_pair_has_a_score(made):
    plan, found, told = made
    assert len(told) == 12
    steps = [event.step for event in told]
    assert steps == sorted(steps)
    assert steps[-1] == told[-1].total
    assert found.images == (plan.images.digest,)
    assert len({model.architecture for model in found.models}) == 2
    for model in found.models:
        pairs = np.array(model.pairs, float)
        assert np.isnan(pairs.diagonal()).all()
        assert np.isfinite(pairs[~np.eye(len(NAMES), dtype=bool)]).all()
        assert all(None not in scores for scores in model.classes.values())


def test_what_was_made_is_not_made_again(made, monkeypatch):
    plan, found, _ = made
    monkeypatch.setattr(service.ReferenceTask, "run", lambda *_: pytest.fail("made again"))
    # What took no time is not told, for it would spoil the pace.
    assert make_references(plan, report=lambda _: pytest.fail("told")) == found


@pytest.mark.parametrize(
    ("name", "value"), [("SEEN", 2000), ("SLOWER", (1, 9)), ("KINDS", recipes.KINDS[:2]), ("preset", presets.preset)]
)
def test_parts_made_with_other_settings_are_made_anew_and_the_table_stays(made, monkeypatch, name, value):
    plan, found, _ = made
    before = plan.home
    assert before.exists()
    monkeypatch.setattr(recipes, name, value)
    assert plan.home != before
    assert plan.home.parent == before.parent
    assert find_references(plan.images.digest, plan.images.class_names, plan.folder) == found


def test_work_that_is_no_longer_wanted_ends_at_once_and_goes_on_later(made, monkeypatch, tmp_path):
    plan = replace(made[0], folder=tmp_path)

    def stop(event):
        raise Cancelled

    with pytest.raises(Cancelled):
        make_references(plan, 1, stop)
    assert [task.step for task in plan.tasks() if task.find()] == ["train"]
    trained = plan.tasks()[0].find().read_bytes()
    with pytest.raises(Cancelled):
        make_references(plan, 2, stop)
    assert [task.find().read_bytes() for task in plan.tasks() if task.find()] == [trained]


@pytest.fixture
def first_model(made, monkeypatch, tmp_path):
    """The training of a model whose learning rate is far too high."""
    monkeypatch.setattr(recipes, "KINDS", (("aegis:cnn16,width=8", 1.0, "l2", 1e6),))
    return replace(made[0], folder=tmp_path).tasks()[0]


def test_a_model_that_learned_nothing_is_trained_once_more_and_slower(first_model, monkeypatch):
    monkeypatch.setattr(recipes, "SLOWER", (1, 10**7))
    monkeypatch.setattr(service, "SLOWER", (1, 10**7))
    truth = read_truth(first_model.run())
    assert truth.recipe["lr"] == pytest.approx(0.1)
    assert truth.metrics["accuracy"] > 0.5
    assert list(first_model.path.parent.iterdir()) == [first_model.path]


def test_a_model_that_learns_nothing_twice_is_named_and_not_kept(first_model):
    with pytest.raises(
        DataError, match=r"reference model 1 \(aegis:cnn16\).*no better when trained more slowly"
    ) as failed:
        first_model.run()
    assert "guessing" in failed.value.got or "diverged" in failed.value.got
    assert "--data" not in str(failed.value)
    assert not list(first_model.path.parent.iterdir())


def test_a_model_that_takes_classes_for_one_another_is_weak(made):
    plan, images = made[0], made[0].images
    model, runtime = plan.tasks()[0].find(), Runtime()
    assert weakness(model, images, runtime) == ""
    exchanged = images.test.labels.copy()
    exchanged[images.test.labels == 0], exchanged[images.test.labels == 1] = 1, 0
    test = replace(images.test, labels=exchanged)
    assert "predicted as" in weakness(model, replace(images, test=test), runtime)
    shifted = replace(images.test, labels=(images.test.labels + 1) % len(NAMES))
    assert "near the 25.0% of guessing" in weakness(model, replace(images, test=shifted), runtime)


def test_later_scans_with_these_images_use_them(made):
    plan, found, _ = made
    assert find_references(plan.images.digest, plan.images.class_names, plan.folder) == found
    used = with_references(SMALL, plan.images, "required", folder=plan.folder)
    assert used.verdict.references == found
    assert with_references(SMALL, plan.images, "off", folder=plan.folder) == SMALL


def test_a_part_that_is_damaged_is_named(made, tmp_path):
    plan, _, _ = made
    task = plan.tasks()[2]
    before = task.path.read_bytes()
    try:
        task.path.write_bytes(before[:-20])
        with pytest.raises(StoreError, match=r"class-0\.json"):
            make_references(plan)
    finally:
        task.path.write_bytes(before)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "0" * 64}, "another"),
        ({"images": ("0" * 64,)}, "those of others"),
        ({"class_names": ("a", "b", "c", "d")}, "those of others"),
        (None, "other content"),
    ],
)
def test_references_that_do_not_fit_stop_the_scan_only_if_they_are_required(made, tmp_path, change, said):
    plan, found, _ = made
    path = tmp_path / "references" / service._table(plan.images.digest, None).name
    path.parent.mkdir()
    if change is None:
        path.write_text("{}")
    else:
        write_references(replace(found, **change), path)
    told = []
    assert with_references(SMALL, plan.images, folder=tmp_path, tell=told.append) == SMALL
    assert said in str(told[0])
    with pytest.raises(StoreError, match=r"aegis reference|Remove that file"):
        with_references(SMALL, plan.images, "required", folder=tmp_path)


def test_without_references_a_scan_goes_on_unless_they_are_required(made, tmp_path):
    images = made[0].images
    assert with_references(SMALL, images, folder=tmp_path) == SMALL
    with pytest.raises(StoreError, match="aegis reference DATA"):
        with_references(SMALL, images, "required", folder=tmp_path)


@pytest.mark.parametrize(("per_class", "test", "said"), [(20, 12, "50 training"), (60, 4, "10 test")])
def test_too_few_images_of_a_class_are_refused(tmp_path, per_class, test, said):
    plan = ReferencePlan(source=written(tmp_path / "few.npz", per_class, test), models=2, folder=tmp_path)
    with pytest.raises(DataError, match=f"at least {said} images"):
        make_references(plan)
    assert not (tmp_path / "references").exists()


def test_one_model_is_no_reference():
    with pytest.raises(ConfigError, match="at least 2"):
        ReferencePlan(source="mnist", models=1)


def test_the_bundled_data_have_references(tmp_path):
    for name in ("mnist", "fashion_mnist", "cifar10"):
        images = load_dataset(f"samples:{name}")
        found = find_references(images.digest, images.class_names, tmp_path)
        assert found is not None
        assert found.class_names == images.class_names
