"""Does the GPU compute what the CPU computes? Relative errors of logits, features and an input gradient."""

import torch
from torch import Tensor
from torch.nn import functional

from aegis.core.runtime import Runtime
from aegis.models.classifier import Classifier
from benchmarks.gpu.setting import Setting, tf32

# Precision, whether float32 may be computed in TF32, and the largest relative errors that pass: of what the network
# says, and of a gradient, which rounding meets twice in every layer.
WAYS = {
    "fp32": ("fp32", False, 1e-4, 1e-3),
    "tf32": ("fp32", True, 2e-3, 2e-2),
    "bf16": ("bf16", False, 2e-2, 1.5e-1),
}


def agreement(setting: Setting) -> dict[str, object]:
    """Compare logits, features and gradients on the GPU with those on the CPU in float32.

    Args:
        setting: where checks run.

    Returns:
        Errors by network and way of computing, and whether each is small enough.
    """
    data = setting.data
    pixels = torch.from_numpy(data.test.pixels[: setting.several(256, 16)])
    labels = torch.from_numpy(data.test.labels[: len(pixels)])
    found: dict[str, object] = {}
    for name, classifier in (
        ("suspect", setting.suspect),
        ("resnet18", setting.network("aegis:resnet18", data.shape)),
    ):
        expected = answers(classifier.frozen(Runtime()), pixels, labels)
        for way, (precision, allowed, answer, slope) in WAYS.items():
            frozen = classifier.frozen(Runtime(setting.device, precision))
            tf32(allowed)
            got = answers(frozen, pixels, labels)
            errors = {part: float((got[part] - expected[part]).norm() / expected[part].norm()) for part in expected}
            passes = max(errors["logits"], errors["features"]) < answer and errors["gradient"] < slope
            found[f"{name} {way}"] = {**errors, "passes": passes}
        tf32(False)
    return found


def answers(classifier: Classifier, pixels: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Compute logits, features and the gradient of the loss by the pixels.

    Args:
        classifier: the network.
        pixels: in [0, 1], shape (n, c, h, w).
        labels: shape (n,).

    Returns:
        The three tensors by name, on the CPU.
    """
    device = classifier.mean.device
    leaf = pixels.to(device).requires_grad_()
    loss = functional.cross_entropy(classifier(leaf), labels.to(device), reduction="sum")
    (gradient,) = torch.autograd.grad(loss, leaf)
    return {
        "logits": classifier.logits(pixels),
        "features": classifier.features(pixels),
        "gradient": gradient.cpu(),
    }
