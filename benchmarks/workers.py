"""What more workers do to a training: `python -m benchmarks.workers [MOST]`, final loss against N at one total batch.

An MLP on the part of Fashion-MNIST that ships with lionkit. Every step takes the same 1,024 images, dealt out to N
virtual workers (`lionkit.distributed.VirtualWorkers`, which decide to the bit as processes do); N = 1 is Lion on the
mean gradient of them all. A row that is done is kept in the CSV file, and not computed again.
"""

from __future__ import annotations

import csv
import statistics
import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.functional import cross_entropy

import lionkit
from lionkit.distributed import Mean, Mode, VirtualWorkers, Vote
from lionkit_lab.data.images import load_image_set

TOTAL, STEPS, SEEDS = 1024, 100, 3
LRS = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
COUNTS = (1, 2, 4, 16, 64, 256, 1024)
MODES: dict[str, Mode] = {"vote": Vote(), "mean": Mean()}
RESULTS = Path("docs/results/workers.csv")


def train(mode: Mode, workers: int, lr: float, seed: int) -> float:
    """Return the train loss after the last step, over all images, in nats."""
    torch.manual_seed(seed)
    data = load_image_set(None)
    images = data.standardise(data.train.plain(torch.arange(len(data.train)))).flatten(1)
    model = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = lionkit.Lion(model.parameters(), lr=lr, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    virtual = VirtualWorkers(optimizer, workers, mode)
    names = dict(model.named_parameters())

    def loss(weights: dict[str, Tensor], batch: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(functional_call(model, weights, (batch,)), labels)

    by_worker = vmap(grad(loss), in_dims=(None, 0, 0))
    for _ in range(STEPS):
        places = torch.randint(len(images), (TOTAL,)).view(workers, -1)
        weights = {name: param.detach() for name, param in names.items()}
        grads = by_worker(weights, images[places], data.train.labels[places])
        virtual.vote({names[name]: value for name, value in grads.items()})
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return cross_entropy(model(images), data.train.labels).item()


def main(most: int = COUNTS[-1]) -> None:
    """Train what is not in the CSV file yet, and print a Markdown table of each mode at its best learning rate."""
    torch.set_num_threads(1)
    done = _read()
    for workers in (count for count in COUNTS if count <= most):
        for name, mode in MODES.items():
            for lr in LRS:
                for seed in range(SEEDS):
                    key = (name, workers, lr, seed)
                    if key not in done and (name, workers) != ("mean", 1):  # with one worker both are Lion
                        done[key] = train(mode, workers, lr, seed)
                        _append([*key, done[key]])
    _show(done)


def _read() -> dict[tuple[str, int, float, int], float]:
    if not RESULTS.exists():
        RESULTS.write_text("mode,workers,lr,seed,train_loss\n", encoding="utf-8")
    with RESULTS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(r["mode"], int(r["workers"]), float(r["lr"]), int(r["seed"])): float(r["train_loss"]) for r in rows}


def _append(row: list[object]) -> None:
    with RESULTS.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(row)


def _show(done: dict[tuple[str, int, float, int], float]) -> None:
    print("| workers | images each | " + " | ".join(f"{name}: loss | sd | lr" for name in MODES) + " |")
    print("| --: " * (2 + 3 * len(MODES)) + "|")
    for workers in sorted({workers for _, workers, _, _ in done}):
        cells = [cell for name in MODES for cell in _best(done, name, workers)]
        print(f"| {workers} | {TOTAL // workers} | " + " | ".join(cells) + " |")


def _best(done: dict[tuple[str, int, float, int], float], name: str, workers: int) -> list[str]:
    by_lr = {lr: [done[key] for key in done if key[:3] == (name, workers, lr)] for lr in LRS}
    complete = {lr: losses for lr, losses in by_lr.items() if len(losses) == SEEDS}
    if not complete:
        return ["", "", ""]
    lr, losses = min(complete.items(), key=lambda pair: statistics.fmean(pair[1]))
    return [f"{statistics.fmean(losses):.4f}", f"{statistics.stdev(losses):.4f}", f"{lr:g}"]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
