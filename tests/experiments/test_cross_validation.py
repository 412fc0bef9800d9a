"""Calibration models that are like a suspect have no say about it."""

from dataclasses import replace

import pytest

from aegis.experiments.calibration import reference_tables
from aegis.experiments.cross_validation import architecture_family, crossed
from aegis.models.card import Planted
from tests.report.made import made

from .cases import case, suspect


def known(name, score, data="mnist", kind="localised", architecture="aegis:cnn16"):
    """A model with a trigger to class 3, in which a benign class reaches so much."""
    shown = suspect(name, lift=0.9, data=data, triggers=(Planted(kind=kind, target=3),))
    shown = shown.model_copy(update={"architecture": architecture})
    return case(shown, made(rates=(0.01, 0.01, score, 0.9), works="patch").record)


HARD = [known(f"hard{i}", score) for i, score in enumerate((0.6, 0.7, 0.8))]
EASY = [
    known(f"easy{i}", score, "cifar10", "static", "aegis:vgg,width=8")
    for i, score in enumerate((0.01, 0.02, 0.01, 0.02, 0.01))
]


@pytest.mark.parametrize("by", ["data", "kind", "architecture"])
@pytest.mark.parametrize(("like", "flagged"), [("hard", True), ("easy", False)])
def test_a_suspect_is_judged_by_models_unlike_it(by, like, flagged):
    judged = known("s", 0.7) if like == "hard" else known("s", 0.7, "cifar10", "static", "aegis:vgg,width=4")
    (found,) = crossed([judged], [*HARD, *EASY], by)
    assert found.suspect is judged.suspect
    assert (2 in found.scans[0].flagged_classes) is flagged


def test_a_clean_suspect_is_left_out_alone_where_kinds_are():
    def clean(name, score):
        return case(suspect(name), made(rates=(0.01, 0.01, score, 0.01), works="patch").record)

    models = [clean(f"c{i}", score) for i, score in enumerate((0.6, 0.7, 0.8))]
    (found,) = crossed([models[2]], models, "kind")
    assert found.scans[0].flagged_classes == ()
    # Of the same data there is nobody else.
    assert crossed([models[2]], models, "data") == []


def test_references_of_the_same_architecture_have_no_say():
    own = case(suspect("r"), made(rates=(0.01, 0.01, 0.7, 0.01), works="patch").record)
    tables = reference_tables([own], {})
    judged = replace(own, suspect=own.suspect.model_copy(update={"name": "s"}))
    models = [known(f"m{i}", 0.02, architecture="aegis:vgg,width=8") for i in range(5)]
    flagged = {by: crossed([judged], models, by, tables)[0].scans[0].flagged_classes for by in ("kind", "architecture")}
    # Without its own kind of network among the references, what is natural is taken for a backdoor.
    assert flagged == {"kind": (), "architecture": (2,)}


@pytest.mark.parametrize(
    ("architecture", "family"), [("aegis:cnn16", "aegis:cnn"), ("aegis:vgg,width=8,norm=1", "aegis:vgg")]
)
def test_a_family_is_a_name_without_size(architecture, family):
    assert architecture_family(architecture) == family
