"""The last pages: method and settings, in enough detail to repeat the scan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, Spacer

from aegis.core.text import percent
from aegis.records.config import ScanConfig
from aegis.records.record import ScanRecord, settings
from aegis.records.settings import NULLS, say
from aegis.records.settings import REFERENCES as REFERENCE_MODELS
from aegis.records.wording import METHODS, robust_up_to
from aegis.report.layout import NEAR, WIDTH, Outline, facts, heading, item, table, text
from aegis.report.words import words

REFERENCES = {
    "method": "E. Soremekun, S. Udeshi, S. Chattopadhyay. AEGIS: Exposing Backdoors in Robust Machine Learning Models. "
    "arXiv:2003.00865.",
    "tsne": "L. van der Maaten, G. Hinton. Visualizing Data using t-SNE. Journal of Machine Learning Research "
    "9:2579-2605, 2008.",
    "umap": "L. McInnes, J. Healy, J. Melville. UMAP: Uniform Manifold Approximation and Projection for Dimension "
    "Reduction. arXiv:1802.03426, 2018.",
    "clusters": "K. Fukunaga, L. D. Hostetler. The Estimation of the Gradient of a Density Function, with Applications "
    "in Pattern Recognition. IEEE Transactions on Information Theory 21(1):32-40, 1975.",
    "pgd": "A. Madry, A. Makelov, L. Schmidt, D. Tsipras, A. Vladu. Towards Deep Learning Models Resistant to "
    "Adversarial Attacks. ICLR 2018.",
}

# Characters of a value that stands beside others.
SHORT = 24
SIDE_BY_SIDE = ". Classes are examined side by side, so that their steps add up to more than classes took."


def method_pages(record: ScanRecord) -> list[Flowable]:
    """Lays out the pages on method, measurements, parameters, versions, times and references.

    Args:
        record: the scan.
    """
    config = settings(record)
    made_with = record.versions | record.runtime.model_dump(exclude_defaults=True)
    made_with |= record.source.model_dump(exclude_defaults=True)
    return [
        Spacer(0, 5 * mm),
        CondPageBreak(90 * mm),
        Outline("Method and parameters", "method"),
        heading("Method and parameters", "title"),
        *map(item, _steps(config)),
        heading("What was scanned"),
        _subject(record),
        heading("Parameters"),
        *(
            []
            if config
            else [text("They are of another version of AEGIS, and stand here as it wrote them.", "caption")]
        ),
        *_pairs(dict(_flat(record.config))),
        heading("Versions and times"),
        text(words(", ".join(f"{name} {_shown(value)}" for name, value in made_with.items()), 2000)),
        text(words(", ".join(f"{name} {value:.2f} s" for name, value in record.seconds.items()), 2000) + SIDE_BY_SIDE),
        heading("References"),
        *(item(words(REFERENCES[name], 400)) for name in _cited(config)),
    ]


def _steps(config: ScanConfig | None) -> Iterator[str]:
    yield (
        "<b>Does the method apply?</b> Accuracy on test images, then accuracy under untargeted L2 attacks (projected "
        "gradient descent) of growing strength. Without accuracy or robustness the verdict is inconclusive."
    )
    count = f"{config.gather.seeds} " if config else ""
    radii = f" of radius {', then '.join(f'{s.epsilon:g}' for s in config.gather.stages)}" if config else ""
    yield (
        f"<b>Translation.</b> For each class, {count}training images of other classes are moved into it by targeted "
        f"projected gradient descent inside an L2 ball{radii}. A robust model then draws what it takes the class to "
        "look like, a hidden trigger included."
    )
    method = METHODS.get(config.embed.method, config.embed.method) if config else METHODS["tsne"]
    yield (
        "<b>Features and clusters.</b> The model's last features of the class's training images and of the translated "
        f"ones are reduced by principal components, embedded in the plane by {words(method)}, and clustered by mean "
        "shift with a flat kernel."
    )
    if config is not None and config.gather.trigger_search is None:
        yield (
            "<b>Verdict.</b> The paper's rule: a class is flagged when training and translated images form more "
            "than two clusters."
        )
        return
    yield (
        "<b>Trigger.</b> What changed in groups of translated images, and noise in each part of the image, starts "
        "searches for a patch and for a small universal perturbation that lead all other classes into this one, for a "
        "patch that leads one of them, and for one that leads every class into another. The best are put on held-out "
        "test images that no search saw and that the model does not call the class anyway; the attack success rate is "
        "the share that it then does."
    )
    yield f"<b>Verdict.</b> {_rule(config)}"


def _rule(config: ScanConfig | None) -> str:
    if config is None:
        return "A class is flagged when such a trigger works on most other classes."
    verdict = config.verdict
    if verdict.rule == "paper":
        return "The paper's rule: a class is flagged when training and translated images form more than two clusters."
    known = verdict.reference_models
    models = max((len(null.maxima) for null in verdict.compared_with.nulls), default=0)
    own = "with what the model's other classes reach"
    compared = (
        f"{own}, and with the same class, or pair of classes, in {len(known)} benign models of the same data"
        if known
        else own
    )
    return (
        f"A trigger's score is the attack success rate that {verdict.source_quantile:.0%} of the classes it is for "
        f"reach, in each half of their images. It is compared {compared}, and the excess with that of {models} benign "
        "calibration models, for each kind of trigger apart. A class is flagged when at most "
        f"{percent(verdict.alpha)} of benign models have such a class (Student's prediction on the logit scale, "
        f"Bonferroni's bound over the kinds), and the score is at least {verdict.min_score:.0%}. The "
        "number of clusters is shown beside it and does not decide."
    )


def _subject(record: ScanRecord) -> Flowable:
    model, images = record.model, record.data
    ladder = "; ".join(f"{a:.1%} at {e:g}" for e, a in zip(model.epsilons, model.robust_accuracies))
    return facts(
        [
            ("File", words(model.called, 300)),
            ("SHA-256 of file", text(words(model.sha256, 64), "code")),
            ("Digest of model", text(words(model.digest, 64), "code")),
            ("Architecture", words(model.architecture, 200)),
            ("Images", f"{words(images.name, 200)}: {images.train} for training, {images.test} for tests"),
            ("Digest of images", text(words(images.digest, 64), "code")),
            (
                "Accuracy",
                f"{model.accuracy:.1%} on test images; an attack of L2 norm {robust_up_to(model)} halves it",
            ),
            ("Under attack", f"by L2 norm: {ladder or 'not measured'}"),
            ("Date of scan", words(record.created, 60)),
        ]
    )


def _pairs(values: Mapping[str, str]) -> list[Flowable]:
    """Names and values in two columns, and what is too long for them below."""
    if not values:
        return [text("none", "caption")]
    cells = [
        [text(words(name, 100), "head"), text(words(value, 60), "cell")]
        for name, value in values.items()
        if len(value) <= SHORT
    ]
    half = -(-len(cells) // 2)
    rows = [left + right for left, right in zip(cells[:half], [*cells[half:], *[["", ""]] * half])]
    long = [(words(name, 100), words(value, 2000)) for name, value in values.items() if len(value) > SHORT]
    near = table(rows, [0.35 * WIDTH, 0.15 * WIDTH] * 2, *NEAR)
    return [*([near] if rows else []), *([facts(long)] if long else [])]


def _flat(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        path = f"{prefix}{name}"
        if path in (NULLS, REFERENCE_MODELS):
            # Hundreds of scores, which the record of the scan holds.
            yield path, say(value, path)
        elif isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")
        else:
            yield path, _shown(value)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ("; " if value and isinstance(value[0], Mapping) else ", ").join(map(_shown, value))
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _cited(config: ScanConfig | None) -> list[str]:
    embedding = "umap" if config is not None and config.embed.method == "umap" else "tsne"
    return ["method", embedding, "clusters", "pgd"]
