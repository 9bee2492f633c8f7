"""When CLion's gates are open on a real model, and what follows: `python -m benchmarks.clion_gate`.

Trains the bundled recipe moby-dick (a GPT-2 of 28 parameters) with Lion, counts the gates that would be open along the
way, and trains the same with CLion; over several seeds, in about two minutes on one core.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

import lionkit
from lionkit_lab import tasks
from lionkit_lab.recipe import load

SEEDS, STEPS, BATCH, LR, DECAY, BETA1 = range(3), 200, 8, 2e-3, 0.1, 0.9
NUS = 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8
ARMS: dict[str, Callable[[list[nn.Parameter]], lionkit.LionK]] = {
    "Lion": lambda params: lionkit.Lion(params, LR, weight_decay=DECAY),
    "CLion": lambda params: lionkit.CLion(params, LR, weight_decay=DECAY),
    "CLion, nu 1e-6": lambda params: lionkit.CLion(params, LR, weight_decay=DECAY, nu=1e-6),
    "CLion, lr 1, the same decay a step": lambda params: lionkit.CLion(params, 1.0, weight_decay=LR * DECAY),
    "CLion, by coordinate": lambda params: lionkit.CLion(params, LR, weight_decay=DECAY, gate="coordinate"),
}


def main() -> None:
    """Print a Markdown table of open gates, and one of losses."""
    gates: Counter[tuple[str, float]] = Counter()
    rows = {
        name: [_train(make, seed, gates if name == "Lion" else None) for seed in SEEDS] for name, make in ARMS.items()
    }
    print("| open | " + " | ".join(f"nu {nu:g}" for nu in NUS) + " |\n|---" + "|---" * len(NUS) + "|")
    for kind in ("matrices", "vectors", "model"):
        print(f"| {kind} | " + " | ".join(f"{gates[kind, nu]} of {gates[kind, 0.0]}" for nu in NUS) + " |")
    print("\n| optimizer | train loss | least | most |\n|---|---|---|---|")
    for name, losses in rows.items():
        print(f"| {name} | {statistics.mean(losses):.3f} | {min(losses):.3f} | {max(losses):.3f} |")


def _train(
    make: Callable[[list[nn.Parameter]], lionkit.LionK], seed: int, gates: Counter[tuple[str, float]] | None
) -> float:
    """Return the mean loss of the last 20 batches."""
    torch.manual_seed(seed)
    task = tasks.build(load("moby-dick"))
    model, (windows,) = task.model(), task.train
    params = list(model.parameters())
    optimizer, draws, losses = make(params), torch.Generator().manual_seed(seed), []
    scheduler = CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = task.loss(model, (windows[torch.randint(len(windows), (BATCH,), generator=draws)],))
        loss.backward()
        if gates is not None:
            _count(gates, params, optimizer)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return statistics.mean(losses[-20:])


def _count(gates: Counter[tuple[str, float]], params: list[nn.Parameter], optimizer: lionkit.LionK) -> None:
    """Count the gates that are open for the coming step; those of nu = 0, which all are."""
    smallest = [_smallest(_direction(param, optimizer)) for param in params]
    kinds = ["matrices" if param.ndim > 1 else "vectors" for param in params]
    for nu in (0.0, *NUS):
        for kind, size in zip((*kinds, "model"), (*smallest, min(smallest)), strict=True):
            gates[kind, nu] += size >= nu


def _direction(param: nn.Parameter, optimizer: lionkit.LionK) -> Tensor:
    assert param.grad is not None
    momentum = optimizer.state[param]["exp_avg"] if optimizer.state.get(param) else torch.zeros_like(param)
    return torch.lerp(momentum, param.grad, 1 - BETA1)


def _smallest(c: Tensor) -> float:
    sizes = c[c != 0].abs()
    return sizes.min().item() if sizes.numel() else math.inf


if __name__ == "__main__":
    main()
