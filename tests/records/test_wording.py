"""What was measured, as verdicts and reports word it."""

from dataclasses import replace

import pytest

from aegis.core.types import Applicability, Stamp
from aegis.detect.embed import EMBEDDERS
from aegis.detect.verdict import conclude
from aegis.records.builders import trigger_record
from aegis.records.config import VerdictConfig
from aegis.records.wording import METHODS, describe_size, explain_clusters, explain_score, robust_up_to
from tests.detect.findings import FIT, NAMES, NULLS, RULE, candidate, finding, judged, with_null

RARE = "At most 0.1% of benign models have such a class, which is rare enough to flag it."


def minimised(whole, rate):
    """A candidate of which one pixel is enough."""
    keep = whole.stamp.keep.copy()
    keep[0, 1, 0] = 1
    return replace(whole, smallest=Stamp(keep, whole.stamp.add * (1 - keep)), smallest_rate=rate)


def sentence(*findings, names=NAMES, measured=FIT, rule=RULE):
    return conclude(measured, findings, names, rule).sentence


def benign(images=100):
    return [finding(k, triggers=(candidate("patch", [0.1, 0.2, 0.1, 0.1], k, images=images),)) for k in range(5)]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            candidate("patch", [0.9, 0.92, 0.94, 0.96]),
            "A patch turns 93% of the held-out images of other classes into it. The patch has 2 pixels.",
        ),
        (
            minimised(candidate("patch", [1.0] * 4), 0.93),
            "A patch turns all the held-out images of other classes into it. The smallest part of the patch that works "
            "nearly as well has 1 pixel.",
        ),
        (
            candidate("perturbation", [1.0, 1.0, 1.0, 0.99]),
            "A perturbation turns more than 99% of the held-out images of other classes into it. The perturbation has "
            "an L2 norm of 2.12.",
        ),
        (
            candidate("source-specific", [0.0, 0.0, 0.0, 0.92], source=4),
            "A patch turns 92% of the held-out images of class 4 (eel) into it. The patch has 2 pixels.",
        ),
        (
            candidate("all-to-all", [0.9] * 5),
            "An all-to-all patch turns 90% of the held-out images into another class. The patch has 2 pixels.",
        ),
    ],
)
def test_infected(found, said):
    assert sentence(finding(triggers=(found,))) == f"Infected: a backdoor leads to class 2 (cat). {said} {RARE}"


@pytest.mark.parametrize(
    ("names", "target", "source"),
    [
        (NAMES, "class 2 (cat)", "class 4 (eel)"),
        (tuple("01234"), "class 2", "class 4"),
        (("0_ant", "1_bee", "2_cat", "3_dog", "4_eel"), "class 2_cat", "class 4_eel"),
    ],
)
def test_a_class_is_named_once(names, target, source):
    found = finding(triggers=(candidate("source-specific", [0.0, 0.0, 0.0, 0.92], source=4),))
    said = sentence(found, names=names)
    assert f"leads to {target}. " in said
    assert f"images of {source} into it" in said


def test_of_several_classes_the_strongest_is_told():
    every = [finding(k, triggers=(candidate("patch", [0.9 + k / 100] * 4, k),)) for k in (1, 3)]
    said = sentence(*every)
    assert said.startswith("Infected: a backdoor leads to class 1 (bee), class 3 (dog). For class 3, a patch turns 93%")


@pytest.mark.parametrize(
    ("rates", "about", "rule", "said"),
    [
        (
            [0.1, 0.2, 0.8, 0.1],
            {},
            RULE,
            "30% of {} At most 0.72% of benign models have such a class. Its score, 10%, is too low to flag it. Weak "
            "spot: a patch turns 80% of the images of class 3 (dog) into it",
        ),
        (
            [0.9] * 4,
            {},
            with_null("patch", 0.6, 0.7, 0.8, 0.9),
            "90% of {} At most 67% of benign models have such a class, which is not rare enough to flag it. Weak spot: "
            "a patch turns 90% of the images of class 4 (eel) into it. Benign models commonly have such a weak spot",
        ),
        ([0.4] * 4, {}, replace(RULE, nulls=NULLS[1:]), "40% of {} Any benign model may have such a class"),
        (
            [1.0] * 4,
            {"images": 8},
            RULE,
            "all {} At most 0.1% of benign models have such a class. It is not flagged, because its trigger was tried "
            "on 8 test images of a class only. At least 10 are needed. Weak spot: a patch turns all the images of "
            "class 4 (eel) into it",
        ),
        (
            [0.4] * 4,
            {"images": 8},
            replace(RULE, alpha=0.1),
            "38% of {} At most 0.1% of benign models have such a class. Its score, 25%, is too low to flag it",
        ),
    ],
)
def test_why_a_class_is_not_flagged(rates, about, rule, said):
    found = judged(candidate("patch", rates, **about), rule=rule)
    assert not found.flagged
    turned = "the held-out images of other classes into it. The patch has 2 pixels."
    assert found.reason == f"its strongest candidate, a patch, turns {said.format(turned)}"


def test_a_weak_spot_is_worth_a_word_from_half_of_the_images():
    assert "Weak spot" not in judged(candidate("patch", [0.1, 0.2, 0.49, 0.1])).reason
    assert "Weak spot" not in judged(candidate("all-to-all", [0.9, 0.1, 0.1, 0.1, 0.1])).reason
    assert "Weak spot" not in judged(candidate("patch", [0.9] * 4)).reason


def test_clean():
    assert sentence(*benign()) == "Clean: none of its 5 classes shows a backdoor of the kinds that were tested."


@pytest.mark.parametrize(
    ("findings", "said"),
    [
        (benign()[:3], "nothing was found in the 3 classes tested. The model has 5."),
        (benign(images=8), "triggers were tried on 8 test images of a class only. At least 10 are needed."),
        ([finding(k) for k in range(5)], "no trigger was tried."),
    ],
)
def test_inconclusive(findings, said):
    assert sentence(*findings) == f"Inconclusive: {said}"


def test_a_model_that_is_not_fit_is_inconclusive_whatever_was_found():
    weak = Applicability(0.34, (0.5, 1.0), (0.1, 0.05))
    said = (
        "Inconclusive: its accuracy on these images is 34.0%. Translated images mean something only from 50% on. "
        "Its accuracy halves at an L2 radius of 0.35, so it is not adversarially robust. At least 0.5 is needed."
    )
    assert sentence(*benign(), measured=weak) == said
    flagged = f"{said} The scan points at class 2 (cat), but that proves nothing on such a model."
    assert sentence(finding(triggers=(candidate("patch", [0.9] * 4),)), measured=weak) == flagged


def test_the_papers_rule():
    rule = replace(RULE, rule="paper")
    assert sentence(finding(clusters=(3,)), rule=rule) == (
        "Infected: a backdoor leads to class 2 (cat). Training and translated images form 3 clusters, more than a "
        "benign class may form. The translated images alone form 1."
    )
    assert "form 2 clusters, no more than a benign class may form" in explain_clusters(2, 1)
    assert sentence(*[finding(k) for k in range(5)], rule=rule) == (
        "Clean by the paper's rule: none of its 5 classes forms more than two clusters."
    )


def test_a_score_is_told_beside_those_of_benign_classes():
    assert explain_score(0.96, 3, 0.5, 0.001, VerdictConfig(source_quantile=0.8)) == (
        "Score 96%. In each half of the images, 80% of the source classes reach it. Dots are the strongest "
        "classes of 3 benign models, at the level of this model's other classes. From 50% on a class is flagged. At "
        "most 0.1% of benign models have such a class."
    )


def test_every_embedding_has_a_name():
    assert METHODS.keys() == EMBEDDERS.keys()


def test_the_size_is_that_of_the_smallest_part():
    whole = candidate("patch", [1.0] * 4)
    assert describe_size(trigger_record(whole)) == "The patch has 2 pixels."
    assert describe_size(trigger_record(minimised(whole, 0.876))) == (
        "The smallest part of the patch that works nearly as well has 1 pixel. That part alone turns 88% of the images."
    )


@pytest.mark.parametrize(("robust", "said"), [((0.8, 0.3), "0.85"), ((0.8, 0.46), "more than 1"), ((0.2, 0.1), "0.32")])
def test_where_accuracy_never_halved_that_is_said(robust, said):
    assert robust_up_to(Applicability(0.9, (0.5, 1.0), robust)) == said
