"""Train a suspect of the paper's size and scan it with the paper's and the default preset.

    AEGIS_DATA=FOLDER python -m benchmarks.gpu.scale mnist_localised --epochs 15 --out FOLDER

The suspects are those of the bank's paper set, with the architecture of its ``paper`` preset. Several of these
commands can share one GPU: a process alone leaves it idle most of the time.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

from aegis import load_checkpoint, load_dataset, scan
from aegis.core.runtime import choose_runtime
from aegis.data import default_source
from aegis.lab.bank.suspects import read_bank
from aegis.lab.suspect import make_suspect
from aegis.records.presets import adjusted, preset

# As the quick preset of training, with one attack step more.
RECIPE = {"schedule": "one-cycle", "lr": 0.2, "step": 0.25, "iterations": 3}


def main() -> None:
    """Train, scan with each preset and seed, and write every outcome as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="a suspect of the bank's paper set")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--images", type=int, help="so many training images; all without it")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--architecture", help="instead of the paper's")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--scans", default="default:0,paper:0,paper:1,paper:2", help="presets and seeds")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    runtime = choose_runtime(options.device, "auto", options.workers)
    entry = read_bank()[options.name]
    order = entry.order("paper")
    recipe = replace(order.recipe, epochs=options.epochs, batch=options.batch, **RECIPE)
    architecture = options.architecture or order.architecture
    order = replace(order, recipe=recipe, images=options.images, architecture=architecture)
    path, start = options.out / f"{options.name}.safetensors", time.perf_counter()
    card = make_suspect(path, order, load_dataset(entry.data), runtime=runtime, half=True)
    told = {"seconds": round(time.perf_counter() - start, 1), "recipe": order.settings}
    told |= {"architecture": architecture, "metrics": card.truth.metrics if card.truth else {}}
    (options.out / f"{options.name}-training.json").write_text(json.dumps(told, indent=1) + "\n")
    print(options.name, json.dumps(told), flush=True)
    images = load_dataset(default_source(entry.data))
    for asked in options.scans.split(","):
        name, _, seed = asked.partition(":")
        config = adjusted(preset(name, images.name, images.shape), seed=int(seed))
        record = scan(load_checkpoint(path), images, config, runtime=runtime).record(path.name)
        (options.out / f"{options.name}-{name}-seed{seed}.json").write_text(record.model_dump_json() + "\n")
        clusters = [(one.clusters, one.translated_clusters_by_budget) for one in record.classes]
        print(options.name, asked, record.verdict, record.flagged_classes, clusters, record.seconds, flush=True)


if __name__ == "__main__":
    main()
