"""What a step along each geometry costs beside Lion's own: `python -m benchmarks.geometries [NUMEL] [ROUNDS]`.

All optimizers step the same float32 weights and momentum by the native kernel, once a round, in an order drawn anew.
"""

from __future__ import annotations

import statistics
import sys

import torch

import lionkit
from lionkit import kappa, optim
from lionkit_lab.bench._measure import interleaved

NUMEL, ROUNDS = 2**25, 31
SETTINGS = {"lr": 1e-4, "weight_decay": 0.1, "fused": True}
MEMBERS = {
    "`L1`, Lion": {},
    "`HalfSquaredL2`": {"kappa": kappa.HalfSquaredL2()},
    "`Huber`": {"kappa": kappa.Huber(0.3)},
    "`TruncatedL1`": {"kappa": kappa.TruncatedL1(0.3)},
    "`Cautious`": {"kappa": kappa.Cautious(0.3)},
    "`Relativistic`": {"kappa": kappa.Relativistic(0.3)},
    "`Entropy`": {"kappa": kappa.Entropy(0.3)},
    "`Arctan`, RLion": {"kappa": kappa.Arctan(0.3)},
    "`CautiousMask`, CautiousLion": {"direction": optim.CautiousMask()},
    "`CautiousMask` of `Entropy`": {"direction": optim.CautiousMask(), "kappa": kappa.Entropy(0.3)},
    "cautious decay": {"weight_decay_mode": "cautious"},
    "`CautiousMask` and cautious decay": {"direction": optim.CautiousMask(), "weight_decay_mode": "cautious"},
}


def main(numel: int = NUMEL, rounds: int = ROUNDS) -> None:
    """Print a Markdown table: nanoseconds a coordinate, and the ratio to Lion's."""
    torch.manual_seed(0)
    weight, momentum = torch.nn.Parameter(torch.randn(numel)), torch.randn(numel)
    weight.grad = torch.randn(numel)
    steps = {}
    for name, options in MEMBERS.items():
        optimizer = lionkit.LionK([weight], **SETTINGS, **options)
        optimizer.state[weight]["exp_avg"] = momentum
        steps[name] = optimizer.step
    interleaved(steps, 2)
    seconds = interleaved(steps, rounds)
    lion = seconds["`L1`, Lion"]
    print(f"{numel:,} float32, {rounds} rounds, threads: {torch.get_num_threads()}\n")
    print("| geometry | ns | quartiles | times Lion |\n|---|---|---|---|")
    for name, times in seconds.items():
        low, middle, high = (1e9 * quartile / numel for quartile in statistics.quantiles(times, n=4))
        ratio = statistics.median(times) / statistics.median(lion)
        print(f"| {name} | {middle:.3f} | {low:.3f}-{high:.3f} | {ratio:.2f} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
