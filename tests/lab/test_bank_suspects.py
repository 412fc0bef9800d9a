"""The bank's recipes: what the file says, what is chosen, and what counts as made."""

from dataclasses import replace

import pytest
import torch

from aegis.core.errors import ConfigError
from aegis.core.types import Goal
from aegis.data.derived import DERIVED
from aegis.lab.bank.suspects import (
    BREADTH_SETS,
    BUNDLED,
    GROUPS,
    HALVES,
    KEPT,
    RECIPE_FILE,
    choose,
    read_bank,
    read_made,
    with_bases,
)
from aegis.lab.recipes import RECIPES, Recipe
from aegis.lab.suspect import TrainingSpec, make_suspect
from aegis.lab.triggers import TriggerSpec
from aegis.models.architectures import build
from aegis.models.families import FAMILIES


@pytest.fixture(scope="module")
def bank():
    return read_bank()


def test_the_fifteen_suspects_of_the_paper_and_their_twins(bank):
    paper = [entry for entry in bank.values() if entry.group == "paper"]
    assert len(paper) == 15
    for data in ("mnist", "fashion_mnist", "cifar10"):
        kinds = [[trigger.kind for trigger in entry.triggers] for entry in paper if entry.data == data]
        assert sorted(kinds) == [[], ["adversarial"], ["distributed"], ["localised"], ["static"]]
    assert all(trigger.goal == Goal(target=7) for entry in paper for trigger in entry.triggers)
    for entry in paper:
        twin = bank[f"{entry.name}_standard"]
        assert twin == replace(entry, name=twin.name, group="standard", robust=False)


def test_the_proving_set_is_large_and_varied(bank):
    proving = [entry for entry in bank.values() if entry.group == "proving"]
    clean, infected = ([e for e in proving if bool(e.triggers) == has] for has in (False, True))
    assert len(clean) >= 20
    assert len(infected) >= 20
    assert {e.data for e in clean} == {e.data for e in infected} == {"mnist", "fashion_mnist", "cifar10"}
    assert {e.order("quick").recipe.norm for e in clean} == {"l2", "linf"}
    assert len({trigger.target for e in infected for trigger in e.triggers}) >= 8
    triggers = [trigger for e in infected for trigger in e.triggers]
    assert any(trigger.all_to_all for trigger in triggers)
    assert any(trigger.source is not None for trigger in triggers)
    assert any(len(e.triggers) == 2 for e in infected)
    assert len({entry.seed for entry in proving}) == len(proving)


def test_thresholds_come_from_one_half_of_the_proving_set_and_results_from_the_other(bank):
    proving = {entry.name for entry in bank.values() if entry.group == "proving"}
    halves = [{entry.name for entry in choose(bank, [half], [])} for half in HALVES]
    assert halves[0] | halves[1] == proving
    assert not halves[0] & halves[1]
    assert all(entry.half is None for entry in bank.values() if entry.group != "proving")
    for half in halves:
        for has in (False, True):
            datasets = {bank[name].data for name in half if bool(bank[name].triggers) is has}
            assert datasets == {"mnist", "fashion_mnist", "cifar10"}


@pytest.mark.parametrize("preset", RECIPES)
def test_every_suspect_can_be_ordered_and_has_its_place(bank, preset, tmp_path):
    for entry in bank.values():
        order = entry.order(preset)
        assert (order.recipe.robust, order.preset) == (entry.robust, preset)
    assert bank["cifar10_clean"].order("paper").architecture == "aegis:resnet50"
    assert bank["mnist_clean"].order("quick").architecture == "aegis:cnn16"
    assert bank["mnist_clean"].path("quick") == BUNDLED / "mnist_clean.safetensors"
    assert bank["mnist_clean_standard"].path("quick").parent == KEPT
    assert bank["mnist_clean"].path("paper").parent == KEPT / "paper"
    assert bank["mnist_clean"].path("quick", tmp_path).parent == tmp_path


def test_what_is_chosen(bank):
    assert len(choose(bank, [], [])) == len(bank)
    assert {entry.group for entry in bank.values()} == set(GROUPS)
    for group in GROUPS:
        assert {entry.group for entry in choose(bank, [group], [])} == {group}
    asked = choose(bank, [], ["mnist_adversarial"])
    assert [entry.name for entry in asked] == ["mnist_adversarial"]
    # One that another is made on comes with it, and first.
    assert [entry.name for entry in with_bases(bank, asked)] == ["mnist_clean", "mnist_adversarial"]
    assert with_bases(bank, choose(bank, [], []))[0].on is None
    assert len(with_bases(bank, choose(bank, [], []))) == len(bank)
    with pytest.raises(ConfigError, match="nobody"):
        choose(bank, [], ["mnist_clean", "nobody"])


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("[paper]", "[papers]", "bank.toml"),
        ('mnist_clean = { data = "mnist"', 'mnist_clean = { colour = "red", data = "mnist"', "bank.toml"),
        ('kind = "localised"', 'kind = "smiley"', "bank.toml"),
        ('kind = "localised"', 'kind = "localised", sise = 3', "bank.toml"),
        ('on = "mnist_clean"', 'on = "nobody"', "bank.toml"),
        ('on = "mnist_clean"', 'on = "mnist_adversarial"', "bank.toml"),
        ('on = "mnist_clean"', 'on = "cifar10_clean"', "bank.toml"),
        ("[control]", "[control", "bank.toml"),
        ("mnist_vit = {", "mnist_narrow = {", "bank.toml.*mnist_narrow"),
    ],
)
def test_a_file_that_is_wrong_is_named(tmp_path, old, new, named):
    text = RECIPE_FILE.read_text()
    assert old in text
    path = tmp_path / "bank.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=named) as caught:
        read_bank(path)
    assert "Correct" in caught.value.advice


def test_what_was_made_by_another_order_does_not_count(tmp_path, data):
    recipe = Recipe(robust=False, epochs=1, batch=32, lr=0.05, schedule="one-cycle")
    triggers = (TriggerSpec(kind="localised", target=1, colour=(0.5,)),)
    order = TrainingSpec(architecture="aegis:cnn16", recipe=recipe, preset="quick", triggers=triggers)
    torch.set_num_threads(1)
    path = tmp_path / "suspect.safetensors"
    assert read_made(path, order, "quadrants") is None
    card = make_suspect(path, order, data)
    assert read_made(path, order, "quadrants") == card
    assert read_made(path, order, "mnist") is None
    others = (
        replace(order, seed=1),
        replace(order, architecture="aegis:cnn32"),
        replace(order, images=80),
        replace(order, rate=0.2),
        replace(order, how="replace"),
        replace(order, triggers=()),
        replace(order, recipe=replace(recipe, epochs=2)),
        replace(order, triggers=(replace(order.triggers[0], row=0),)),
    )
    for other in others:
        assert read_made(path, other, "quadrants") is None
    path.write_bytes(b"no checkpoint")
    assert read_made(path, order, "quadrants") is None


def family(entry):
    return entry.architectures["quick"].partition(",")[0]


def test_attackers_who_know_the_test_have_a_set_of_their_own(bank):
    adaptive = choose(bank, ["adaptive"], [])
    assert len(adaptive) >= 5
    assert all(entry.triggers and entry.sets == {"adaptive"} for entry in adaptive)
    assert {"warp", "roaming", "both"} <= {trigger.kind for entry in adaptive for trigger in entry.triggers}
    assert any(entry.how == "clean-label" and entry.on for entry in adaptive)
    assert any(entry.order("quick").recipe.patch_area for entry in adaptive)


def test_breadth_is_split_once_into_three_and_reports_kinds_that_set_no_threshold(bank):
    references, calibration, evaluation = ({e.name: e for e in choose(bank, [part], [])} for part in BREADTH_SETS)
    breadth = {entry.name for entry in bank.values() if entry.group == "breadth"}
    assert len(references) + len(calibration) + len(evaluation) == len(breadth)
    assert references.keys() | calibration.keys() | evaluation.keys() == breadth
    assert all(entry.half is None for entry in (bank[name] for name in breadth))
    # What a suspect is compared with is clean, and there is some of each named data set.
    assert not any(entry.triggers for entry in references.values())
    assert {entry.data for entry in references.values()} == {"mnist", "fashion_mnist", "cifar10"}
    known = [*references.values(), *calibration.values()]
    assert {family(e) for e in evaluation.values()} > {family(e) for e in calibration.values()}
    assert {family(e) for e in evaluation.values()} - {family(e) for e in known}
    kinds = [{t.kind for e in part.values() for t in e.triggers} for part in (calibration, evaluation)]
    assert kinds[1] - kinds[0]
    assert {e.data for e in evaluation.values()} - {e.data for e in known}


def test_breadth_holds_what_the_bank_lacked(bank):
    breadth = [entry for entry in bank.values() if entry.group == "breadth"]
    benign, infected = ([e for e in breadth if bool(e.triggers) == has] for has in (False, True))
    assert len(benign) >= 30
    assert len(infected) >= 15
    assert {family(e) for e in benign} >= {f"aegis:{name}" for name in FAMILIES}
    assert any(e.order("quick").recipe.certified for e in benign)
    assert {e.data for e in benign} >= set(DERIVED)
    assert len({e.seed for e in breadth}) == len(breadth)
    # A perturbation is made within its part.
    made_on = [(entry, bank[entry.on]) for entry in breadth if entry.on]
    assert len(made_on) == 2
    for entry, base in made_on:
        assert (base.part, base.triggers) == (entry.part, ())


def test_wide_networks_are_wider_and_still_small(bank):
    channels = {"mnist": 1, "fashion_mnist": 1, "fashion_mnist_five_classes": 1}
    specs = {(e.architectures["quick"], channels.get(e.data, 3)) for e in bank.values() if family(e) == "aegis:wide"}
    for spec, colours in specs:
        network = build(spec, colours, 10)
        stem = next(m for m in network.modules() if isinstance(m, torch.nn.Conv2d))
        assert network.head.in_features > 4 * stem.out_channels
        assert sum(p.numel() for p in network.parameters()) <= 200_000
