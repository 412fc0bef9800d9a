"""Images x steps per second of PGD and of adversarial training, in every way that it can run."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from aegis.attacks.pgd import pgd
from aegis.core.runtime import Runtime
from aegis.core.types import LabelledImages, Stage
from aegis.lab.recipes import Recipe
from aegis.lab.train import train
from aegis.models.classifier import Classifier
from benchmarks.gpu.setting import Setting, tf32
from benchmarks.pgd import unfolded

TARGET = 7
Attack = Callable[[Tensor, Tensor], object]


def rates(setting: Setting) -> dict[str, object]:
    """Time PGD beside torchattacks.

    Args:
        setting: where checks run.

    Returns:
        Median images times steps a second, by network, batch and way.
    """
    stage = Stage(epsilon=3.0, step=0.375, iterations=setting.several(10, 2))
    found: dict[str, object] = {}
    networks = [
        ("cnn32", setting.suspect, (250, 500, 2000)),
        ("resnet18", setting.network("aegis:resnet18", (1, 28, 28)), (250, 500, 2000)),
        ("resnet50", setting.network("aegis:resnet50", (3, 32, 32)), (250, 500)),
    ]
    for name, classifier, batches in networks[: setting.several(3, 2)]:
        for batch in batches if not setting.small else (8,):
            images = torch.rand(batch, *classifier.shape, generator=torch.Generator().manual_seed(0))
            x, y = images.to(setting.device), torch.full((batch,), TARGET, device=setting.device)
            for way, (allowed, attack) in ways(setting, classifier, stage, x, y).items():
                tf32(allowed)
                took = setting.seconds(lambda attack=attack, x=x, y=y: attack(x, y), 3)
                found[f"{name}, {batch} images, {way}"] = round(batch * stage.iterations / took)
            tf32(False)
    return found


def ways(
    setting: Setting, classifier: Classifier, stage: Stage, x: Tensor, y: Tensor
) -> dict[str, tuple[bool, Attack]]:
    """List the ways of running one attack.

    Args:
        setting: where checks run.
        classifier: the network.
        stage: budget of the attack.
        x: images in [0, 1], shape (n, c, h, w).
        y: labels, shape (n,).

    Returns:
        By name, whether TF32 is allowed and the attack.
    """
    import torchattacks

    fp32, bf16 = (classifier.frozen(Runtime(setting.device, precision)) for precision in ("fp32", "bf16"))
    launched = classifier.frozen(Runtime(setting.device, "bf16"), once=True)
    reference = torchattacks.PGDL2(
        # As its authors run it: it cannot take gradients in the order of memory that ours are quickest with.
        copy.deepcopy(classifier).to(setting.device).requires_grad_(False),
        eps=stage.epsilon,
        alpha=stage.step,
        steps=stage.iterations,
        random_start=False,
    )
    reference.set_mode_targeted_by_label(quiet=True)
    plain = unfolded(classifier, Runtime(setting.device, "bf16"))
    return {
        "torchattacks fp32": (False, reference),
        "torchattacks tf32": (True, reference),
        "aegis fp32": (False, lambda x, y: pgd(fp32, x, y, [stage], targeted=True)),
        "aegis tf32": (True, lambda x, y: pgd(fp32, x, y, [stage], targeted=True)),
        "aegis bf16": (False, lambda x, y: pgd(bf16, x, y, [stage], targeted=True)),
        "aegis bf16, launched anew": (False, lambda x, y: pgd(launched, x, y, [stage], targeted=True)),
        "aegis bf16, not folded, launched anew": (False, lambda x, y: pgd(plain, x, y, [stage], targeted=True)),
    }


def training_rates(setting: Setting) -> dict[str, object]:
    """Time batches of adversarial training (PGD-3, bf16) of ResNet-18 at 28 pixels.

    Args:
        setting: where checks run.

    Returns:
        Milliseconds by batch size.
    """
    found: dict[str, object] = {}
    for batch in (128, 512) if not setting.small else (8,):
        count = batch * setting.several(20, 2)
        pixels = torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(0)).numpy()
        images = LabelledImages(pixels, torch.arange(count).remainder(10).numpy(), tuple("0123456789"))
        recipe = Recipe(epochs=1, batch=batch, lr=0.01, schedule="one-cycle", step=0.25, iterations=3)
        classifier = setting.network("aegis:resnet18", (1, 28, 28))

        def run(classifier: Classifier = classifier, images: LabelledImages = images, recipe: Recipe = recipe) -> None:
            train(classifier, images, recipe, runtime=Runtime(setting.device, "bf16"))

        took = setting.seconds(run, 3) / (count // batch)
        found[f"{batch} images"] = {"ms a batch": round(1000 * took, 1), "images a second": round(batch / took)}
    return found
