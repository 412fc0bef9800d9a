"""Robust and standard training, which can be killed at any moment and resumes from its last epoch."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from aegis.attacks.pgd import pgd
from aegis.core.errors import StoreError
from aegis.core.files import whole_file
from aegis.core.runtime import Event, Report, Runtime, Throttle, silent, torch_generator
from aegis.core.types import LabelledImages, Stage
from aegis.lab.certified import MAX_GRADIENT, certified_loss, check_certifiable
from aegis.lab.recipes import Recipe
from aegis.lab.resistance import with_patches
from aegis.models.classifier import Classifier


def train(
    classifier: Classifier,
    images: LabelledImages,
    recipe: Recipe,
    *,
    seed: int = 0,
    clean: int | None = None,
    runtime: Runtime | None = None,
    state: Path | None = None,
    report: Report = silent,
    after_epoch: Callable[[int, Classifier], None] = lambda epoch, classifier: None,
) -> Classifier:
    """Trains a classifier in place.

    All randomness of an epoch depends only on the seed and the number of the epoch, so that an interrupted run ends
    with the same weights as an uninterrupted one.

    Args:
        classifier: a freshly built classifier.
        images: training data, poisoned or not.
        recipe: settings of the training.
        seed: seed of batches, random starts and augmentation.
        clean: number of images before the first appended poison, which ``spare_poison`` spares; None for all.
        runtime: device and precision; None for float32 on the CPU.
        state: file that holds the state between epochs, to be removed by the caller; None for no such file.
        report: receives events of stage ``train``, one step for each batch; may raise ``Cancelled``.
        after_epoch: is called after each epoch with its number, from 1, and the classifier, which it leaves as it is.

    Returns:
        The classifier in evaluation mode.

    Raises:
        StoreError: if the state cannot be written or read.
        ConfigError: if the recipe asks for certified training of a network of another kind.

    Source: adversarial training (Madry et al. 2018), with the settings of Section 5.1.
    """
    runtime = runtime or Runtime()
    if recipe.certified:
        check_certifiable(classifier.network)
    classifier.to(runtime.device).to(memory_format=torch.channels_last)
    pixels, labels = torch.from_numpy(images.pixels), torch.from_numpy(images.labels)
    meant = clean if recipe.spare_poison and clean is not None else len(labels)
    batches = len(_batches(torch.arange(len(labels)), recipe.batch))
    optimiser = torch.optim.SGD(
        classifier.parameters(), lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
    )
    schedule = _schedule(optimiser, recipe, batches)
    signature = _signature(classifier, images, recipe, seed)
    first = _resume(state, signature, classifier, optimiser, schedule)
    throttle = Throttle(report)
    for epoch in range(first, recipe.epochs):
        generator = torch_generator(seed, epoch)
        for i, chosen in enumerate(_batches(torch.randperm(len(labels), generator=generator), recipe.batch)):
            x, y = _augment(pixels[chosen], recipe, generator), labels[chosen]
            x, y, done = x.to(runtime.device), y.to(runtime.device), epoch * batches + i + 1
            if recipe.certified:
                loss = _certified_step(classifier, x, y, recipe, done / (recipe.epochs * batches), optimiser)
            else:
                x = _attack(classifier, x, y, recipe, runtime, generator, (chosen < meant).to(runtime.device))
                loss = _step(classifier, x, y, runtime, optimiser)
            schedule.step()
            if throttle.due(done, recipe.epochs * batches):
                report(Event(stage="train", step=done, total=recipe.epochs * batches, loss=float(loss)))
        _save(state, signature, epoch + 1, classifier, optimiser, schedule)
        after_epoch(epoch + 1, classifier)
    return classifier.eval()


def _batches(order: Tensor, size: int) -> list[Tensor]:
    """Splits positions into batches; a last batch of one joins the one before it, for batch norm needs two images."""
    parts = list(torch.split(order, size))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def _attack(
    classifier: Classifier,
    x: Tensor,
    y: Tensor,
    recipe: Recipe,
    runtime: Runtime,
    generator: torch.Generator,
    chosen: Tensor,
) -> Tensor:
    """Attacks the chosen images of a batch, and puts patches on some of all, as the recipe says."""
    if not (recipe.robust or recipe.patch_area):
        return x
    # As in the robustness package, the attack sees the network in evaluation mode.
    target = classifier.frozen(runtime, once=True)
    if recipe.robust:
        stage = Stage(epsilon=recipe.epsilon, step=recipe.step, iterations=recipe.iterations)
        (moved,) = pgd(target, x, y, [stage], norm=recipe.norm, random_start=True, generator=generator)
        x = torch.where(chosen[:, None, None, None], moved, x)
    if recipe.patch_area:
        x = with_patches(target, x, y, recipe.patch_target, recipe.patch_area, generator)
    return x


def _step(classifier: Classifier, x: Tensor, y: Tensor, runtime: Runtime, optimiser: torch.optim.Optimizer) -> Tensor:
    classifier.train()
    with torch.autocast(runtime.device, dtype=torch.bfloat16, enabled=runtime.precision == "bf16"):
        loss = functional.cross_entropy(classifier(x), y)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return loss.detach()


def _certified_step(
    classifier: Classifier, x: Tensor, y: Tensor, recipe: Recipe, progress: float, optimiser: torch.optim.Optimizer
) -> Tensor:
    classifier.train()
    loss = certified_loss(classifier, x, y, recipe.epsilon, progress)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(classifier.parameters(), MAX_GRADIENT)
    optimiser.step()
    return loss.detach()


def _schedule(optimiser: torch.optim.Optimizer, recipe: Recipe, batches: int) -> torch.optim.lr_scheduler.LRScheduler:
    if recipe.schedule == "step":
        return torch.optim.lr_scheduler.StepLR(optimiser, step_size=recipe.drop_every * batches, gamma=0.1)
    return torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=recipe.lr, total_steps=recipe.epochs * batches, pct_start=0.3, cycle_momentum=False
    )


def _augment(x: Tensor, recipe: Recipe, generator: torch.Generator) -> Tensor:
    if not recipe.augment:
        return x
    transform = _augmentation(*x.shape[-2:])
    with torch.random.fork_rng(devices=[]):
        # torchvision draws from the global generator, which is seeded here and restored afterwards.
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
        return torch.stack([transform(image) for image in x]).clamp_(0, 1)


def _augmentation(height: int, width: int) -> Callable[[Tensor], Tensor]:
    """Creates the default augmentation of the robustness package for CIFAR-10 (Engstrom et al. 2019)."""
    from torchvision.transforms import v2

    crop, jitter = v2.RandomCrop((height, width), padding=4), v2.ColorJitter(0.25, 0.25, 0.25)
    transform: Callable[[Tensor], Tensor] = v2.Compose([crop, v2.RandomHorizontalFlip(), jitter, v2.RandomRotation(2)])
    return transform


def _signature(network: nn.Module, images: LabelledImages, recipe: Recipe, seed: int) -> str:
    shapes = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    return hashlib.sha256(json.dumps([shapes, images.digest, recipe.settings, seed]).encode()).hexdigest()


def _save(state: Path | None, signature: str, epoch: int, classifier: nn.Module, *parts: object) -> None:
    if state is None:
        return
    kept = {
        "signature": signature,
        "epoch": epoch,
        "network": classifier.state_dict(),
        "parts": [part.state_dict() for part in parts],  # type: ignore[attr-defined]
    }
    buffer = io.BytesIO()
    torch.save(kept, buffer)  # not into the file, since torch hides the system's error for a full disk
    try:
        with whole_file(state) as file:
            file.write(buffer.getbuffer())
    except OSError as error:
        raise StoreError(
            f"room to keep the training state in {state.parent}", str(error), "Free some space and start again."
        ) from error


def _resume(
    state: Path | None,
    signature: str,
    classifier: Classifier,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
) -> int:
    """Restores an interrupted run of the same network, recipe, data and seed; returns the epoch to start with."""
    if state is None or not state.exists():
        return 0
    try:
        kept = torch.load(state, weights_only=True, map_location=classifier.mean.device)
        ours = kept["signature"] == signature
    except Exception as error:  # torch may raise anything on a file of another program
        raise StoreError(
            "the state of an interrupted training",
            f"{state}, which cannot be read",
            "Remove that file and start again.",
        ) from error
    if not ours:
        return 0
    classifier.load_state_dict(kept["network"])
    optimiser.load_state_dict(kept["parts"][0])
    schedule.load_state_dict(kept["parts"][1])
    return int(kept["epoch"])
