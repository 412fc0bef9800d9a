"""The last pages: how the verdict came about, in enough detail to repeat it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, Spacer

from aegis.detect.config import ScanConfig
from aegis.detect.record import ScanRecord
from aegis.report.layout import WIDTH, facts, heading, item, outline, table, text
from aegis.report.strength import settings
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


def method_pages(record: ScanRecord) -> list[Flowable]:
    """Method, measurements, parameters, versions, times and references."""
    config = settings(record)
    return [
        Spacer(0, 5 * mm),
        CondPageBreak(90 * mm),
        outline("Method and parameters", "method"),
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
        _pairs(dict(_flat(record.config))),
        heading("Versions"),
        _pairs({**record.versions, **record.runtime}),
        heading("Times in seconds"),
        text("Steps of classes that were examined side by side add up to more than their classes took.", "caption"),
        _pairs({name: f"{value:.2f}" for name, value in record.seconds.items()}),
        heading("References"),
        *(item(words(REFERENCES[name], 400)) for name in _cited(config)),
    ]


def _steps(config: ScanConfig | None) -> Iterator[str]:
    yield (
        "<b>Does the method apply?</b> Accuracy on test images, then accuracy under untargeted L2 attacks (projected "
        "gradient descent) of growing strength. Without accuracy or robustness the verdict is inconclusive."
    )
    yield (
        "<b>Translation.</b> For each class, images of other classes are moved into it by targeted projected gradient "
        "descent inside an L2 ball: first a small one, then, where the settings say so, until pixels saturate. A "
        "robust model then draws what it takes the class to look like, a hidden trigger included."
    )
    yield (
        "<b>Features.</b> The model's last features of the class's training images and of the translated ones, "
        "reduced by principal components."
    )
    method = {"tsne": "t-SNE", "umap": "UMAP"}.get(config.embed.method, config.embed.method) if config else "t-SNE"
    yield f"<b>Embedding and clusters.</b> {words(method)} into the plane, then mean shift with a flat kernel."
    if config is not None and config.gather.transplant is None:
        yield (
            "<b>Verdict.</b> The paper's rule: a class is suspicious when training and translated images form more "
            "than two clusters."
        )
        return
    yield (
        "<b>Trigger.</b> What changed in groups of translated images starts searches for a patch and for a small "
        "universal perturbation. The best are put on held-out test images that no search saw; the flip rate is the "
        "share that the model then calls the class."
    )
    yield f"<b>Verdict.</b> {_rule(config)}"


def _rule(config: ScanConfig | None) -> str:
    if config is None:
        return "A class is suspicious when such a trigger works on most other classes."
    verdict = config.verdict
    if verdict.rule == "paper":
        return (
            "The paper's rule: a class is suspicious when training and translated images form more than two clusters."
        )
    return (
        f"A class is suspicious when, from at least {verdict.share:.0%} of the other classes, a patch turns at least "
        f"{verdict.patch:.0%} of the images into it, or a perturbation at least {verdict.perturbation:.0%}. The number "
        "of clusters is shown beside it and does not decide."
    )


def _subject(record: ScanRecord) -> Flowable:
    model, images = record.model, record.data
    ladder = "; ".join(f"{a:.1%} at {e:g}" for e, a in zip(model.epsilons, model.robust_accuracies))
    return facts(
        [
            ("File", words(model.file, 200)),
            ("SHA-256 of file", text(words(model.sha256, 64), "code")),
            ("Digest of model", text(words(model.digest, 64), "code")),
            ("Architecture", words(model.architecture, 200)),
            ("Images", f"{words(images.name, 200)}: {images.train} for training, {images.test} for tests"),
            ("Digest of images", text(words(images.digest, 64), "code")),
            ("Accuracy", f"{model.accuracy:.1%} on test images; under attack, by L2 norm: {ladder or 'not measured'}"),
            ("Half radius", f"{model.half_radius:.2f}: the L2 norm of attacks that halve the accuracy"),
            ("Date of scan", words(record.created, 60)),
        ]
    )


def _pairs(values: Mapping[str, str]) -> Flowable:
    """Names and values in two columns."""
    cells = [[text(words(name, 100), "head"), text(words(value, 400), "cell")] for name, value in values.items()]
    if not cells:
        return text("none", "caption")
    half = -(-len(cells) // 2)
    rows = [left + right for left, right in zip(cells[:half], [*cells[half:], *[["", ""]] * half])]
    return table(rows, [0.24 * WIDTH, 0.26 * WIDTH] * 2)


def _flat(settings: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _shown(value)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ("; " if value and isinstance(value[0], Mapping) else ", ").join(map(_shown, value))
    if isinstance(value, float):
        return f"{value:g}"
    return (
        {None: "none", True: "yes", False: "no"}.get(value, str(value))
        if value is None or isinstance(value, bool)
        else str(value)
    )


def _cited(config: ScanConfig | None) -> list[str]:
    embedding = "umap" if config is not None and config.embed.method == "umap" else "tsne"
    return ["method", embedding, "clusters", "pgd"]
