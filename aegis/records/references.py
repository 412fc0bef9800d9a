"""What benign models of the same data reach, which tells a backdoor from a weak spot of the data.

Some classes are near each other in every model of a data set: few pixels turn a sandal into a bag. A candidate trigger
is therefore compared with what the same search reaches, for the same class or the same pair of classes, in benign
models that were trained on the same data. How far benign models exceed such references was measured on models that no
verdict is reported on.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from aegis.core.errors import ConfigError
from aegis.core.types import FAMILIES, Family
from aegis.records.null_distribution import (
    MIN_P_VALUE,
    NullDistribution,
    calibrated,
    from_logit,
    logit,
    mean_and_spread,
    student_p,
)

# Families in which a suspect's own level counts: some benign models are weak everywhere. All-to-all leads each class to
# another, so that its other classes show no level.
LEVELLED: tuple[Family, ...] = ("patch", "perturbation", "source-specific")
# A class is compared with the excess that the suspect shows in this many-th of the other classes: in the second, since
# a model may have two backdoors.
RANK = 2
# Excesses in logits, one for each class.
Levels = tuple[float, ...]
# A reference model shows the same weak spot if it reaches this share of a candidate's score.
ALIKE = 0.5


@dataclass(frozen=True, kw_only=True)
class ReferenceModel:
    """Scores of the strongest candidates of one benign model.

    Args:
        name: of the model.
        architecture: of the model.
        accuracy: on test images, in [0, 1].
        classes: for each family but ``source-specific``, the score of every class in label order, in [0, 1].
        pairs: the score of a source-specific trigger for every source class (row) and target class (column), in
            [0, 1]; None on the diagonal and where none was tried.
    """

    name: str
    architecture: str
    accuracy: float
    classes: Mapping[Family, tuple[float | None, ...]]
    pairs: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, kw_only=True)
class References:
    """Benign models of one data set, with which a suspect's classes are compared.

    Without any model they are compared with each other alone.

    Args:
        images: digests of the data sets that the models stand for, in hex.
        class_names: in label order.
        models: the reference models.
        code: digest of the source that searched them for triggers; empty for those that come with AEGIS.
        levels: for each family in ``LEVELLED``, the excess in logits that the suspect shows elsewhere anyway, by
            ``fitted_to``, one for each class; empty for references that are fitted to no suspect.
        nulls: how far benign models exceed what is so expected of them, one for each family.

    Raises:
        ConfigError: if a model has another number of classes.
    """

    images: tuple[str, ...]
    class_names: tuple[str, ...]
    models: tuple[ReferenceModel, ...]
    code: str = ""
    levels: Mapping[Family, Levels] = field(default_factory=dict)
    nulls: tuple[NullDistribution, ...] = field(default_factory=partial(calibrated, "few"))

    def __post_init__(self) -> None:
        known = len(self.class_names)
        for model in self.models:
            sizes = {len(row) for row in (*model.classes.values(), *model.pairs, model.pairs)}
            if sizes - {known}:
                raise ConfigError(f"reference models of {known} classes", model.name, "Make the references anew.")

    def scores(self, family: Family, label: int, source: int | None) -> list[float]:
        """Finds what the reference models reach in place of a candidate.

        Args:
            family: of the candidate.
            label: the class under test.
            source: the source class of a source-specific candidate, else None.

        Returns:
            Scores in [0, 1], one for each model that has one.
        """
        if source is None:
            found = [model.classes.get(family, ())[label : label + 1] for model in self.models]
            return [score for row in found for score in row if score is not None]
        return [score for model in self.models if (score := model.pairs[source][label]) is not None]

    def alike(self, family: Family, label: int, source: int | None, score: float) -> int:
        """Counts the reference models that show the same weak spot.

        Args:
            family, label, source: as in ``scores``.
            score: of the candidate, in [0, 1].

        Returns:
            The number of models that reach at least half of the score.
        """
        return sum(one >= ALIKE * score for one in self.scores(family, label, source))

    def expected(self, family: Family, label: int, source: int | None) -> float:
        """Computes the logit of the score that is expected of a benign model.

        Args:
            family, label, source: as in ``scores``.

        Returns:
            Mean over the references and one model in which nothing works, since most pairs of classes are like that,
            plus their standard deviation, since benign models differ more in some pairs than in others, plus the
            suspect's level.
        """
        logits = [logit(0.0), *map(logit, self.scores(family, label, source))]
        level = self.levels[family][label] if family in self.levels else 0.0
        return sum(mean_and_spread(logits)) + level

    def without(self, name: str) -> References:
        """Leaves out a model, which is never its own reference.

        Args:
            name: of the model.

        Returns:
            The references without it; the same if it is none of them.
        """
        return replace(self, models=tuple(model for model in self.models if model.name != name))

    def p_value(self, family: Family, label: int, source: int | None, score: float) -> float:
        """Bounds the share of benign models of which any candidate exceeds the references as far as this one.

        Args:
            family, label, source: as in ``scores``.
            score: of the candidate, in [0, 1].

        Returns:
            Bonferroni's bound over families and additional classes, in [``MIN_P_VALUE``, 1]; 1 for a family without a
            null.
        """
        null = self.null(family)
        if null is None:
            return 1.0
        excess = logit(score) - self.expected(family, label, source)
        found = self._corrected(null) * student_p(null.maxima, excess)
        return min(1.0, max(MIN_P_VALUE, found))

    def threshold(self, family: Family, label: int, source: int | None, alpha: float) -> float | None:
        """Computes the score whose p-value is alpha.

        Args:
            family, label, source: as in ``scores``.
            alpha: in (0, 1).

        Returns:
            The score, in [0, 1]; None for a family without a null.
        """
        null = self.null(family)
        if null is None:
            return None
        return from_logit(self.expected(family, label, source) + null.threshold(alpha / self._corrected(null)))

    def fitted_to(self, suspect: ReferenceModel) -> References:
        """Measures how far a suspect exceeds the reference models altogether.

        Some benign models are weaker than others everywhere, and a backdoor leads to one class. So a class is compared
        with the largest excess in each of the other classes. Other pairs into the same class do not count: a trigger
        made for one source class often works on some images of others. A class that was not tested is taken to show
        what is usual.

        Args:
            suspect: what the suspect reaches.

        Returns:
            The same references with the levels.
        """
        plain = replace(self, levels={})
        return replace(self, levels={family: plain._levels(family, suspect) for family in LEVELLED})

    @property
    def stand_for_suspect(self) -> bool:
        """Whether the suspect they are fitted to is, in pairs of classes, no weaker altogether than benign models are.

        References do not stand for a network that a few pixels lead nearly anywhere, as certified ones can be.
        """
        null, levels = self.null("source-specific"), self.levels.get("source-specific", ())
        return null is None or not levels or statistics.mean(levels) <= null.unlike

    def _levels(self, family: Family, suspect: ReferenceModel) -> Levels:
        null, count = self.null(family), len(self.class_names)
        if null is None:
            return (0.0,) * count
        rows = self.excesses(suspect, family)
        largest = [max((one for one in row if one is not None), default=null.usual) for row in rows]
        return tuple(min(_ranked(largest, label), null.most) for label in range(count))

    def excesses(self, model: ReferenceModel, family: Family) -> list[list[float | None]]:
        """Computes how far a model exceeds what is expected of a benign one.

        Args:
            model: what the model reaches.
            family: of triggers.

        Returns:
            For each class, its excess in logits, or one for each source class; None where nothing was tried.
        """
        pairs = family == "source-specific"
        rows = model.pairs if pairs else (model.classes.get(family, ()),)
        found: list[list[float | None]] = [[None] * len(rows) for _ in self.class_names]
        for source, row in enumerate(rows):
            for label, score in enumerate(row):
                if score is not None:
                    expected = self.expected(family, label, source if pairs else None)
                    found[label][source] = logit(score) - expected
        return found

    def null(self, family: Family) -> NullDistribution | None:
        """Finds the null of a family; None if it has none."""
        return next((null for null in self.nulls if null.family == family), None)

    def _corrected(self, null: NullDistribution) -> float:
        """Number of families, times how many more classes or pairs are tried here than in calibration."""
        known = len(self.class_names)
        tried = known * (known - 1) if null.family == "source-specific" else known
        return len(self.nulls) * max(1.0, tried / null.tests)


def _ranked(values: Sequence[float], position: int) -> float:
    """The ``RANK``-th largest of the values at other positions, or the least of fewer; 0 without any."""
    others = sorted((one for i, one in enumerate(values) if i != position), reverse=True)
    return others[min(RANK, len(others)) - 1] if others else 0.0


def largest_excesses(model: ReferenceModel, others: References) -> dict[Family, float]:
    """Computes how far a benign model exceeds references of its data.

    Args:
        model: the benign model.
        others: references without it, fitted to it.

    Returns:
        For each family, the largest excess over its classes or pairs, in logits.
    """
    over = {
        family: [one for row in others.excesses(model, family) for one in row if one is not None] for family in FAMILIES
    }
    return {family: max(found) for family, found in over.items() if found}
