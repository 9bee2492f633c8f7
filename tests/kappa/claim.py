"""The claim measured: LionK's last weights beside scipy's minimiser. As a script, the table of docs/kappas.md."""

import sys
from dataclasses import dataclass

import numpy as np
import torch
from convex_problems import decay_that_binds, make_problem
from scipy_minimiser import scipy_minimiser

import lionkit
from lionkit.kappa import (
    L1,
    Arctan,
    Cautious,
    Entropy,
    GroupL2,
    HalfSquaredL2,
    Huber,
    LInf,
    Lp,
    Relativistic,
    Spectral,
    TopK,
    TruncatedL1,
)

BETAS = (0.8, 0.95)
TOUCH = 1e-3  # how near a bound, relative to it, counts as there: what the claim leaves open

# Widths beside gradients that are about 0.1 where the constraint binds.
CONVERGENT = [
    HalfSquaredL2(),
    L1(),
    Huber(0.1),
    TruncatedL1(0.05),
    Relativistic(0.1),
    Entropy(0.1),
    Arctan(0.05),
    Cautious(0.1),
    Lp(1),
    Lp(1.3),
    Lp(2),
    Lp(5),
    LInf(),
    TopK(3),
    GroupL2("rows"),
    GroupL2("columns"),
    GroupL2("tensor"),
    Spectral(steps=None),
    Spectral(steps=None, adjust="original"),
]


@dataclass(frozen=True)
class Outcome:
    """What came of one problem.

    Attributes:
        loss: The name of its loss.
        distance: From scipy's minimiser, in l2, relative to the minimiser's norm.
        gap: How far scipy is from the optimum, as far as kappa can tell: its Fenchel-Young gap, relative.
        gauge: How far the last weights reach, 1 being the boundary.
        bounds: How many bounds there are, on coordinates, groups, singular values and sums.
        touched: On how many of them scipy's minimiser lies.
        missed: How many of them one touches and the other does not, by more than the claim leaves open.
    """

    loss: str
    distance: float
    gap: float
    gauge: float
    bounds: int
    touched: int
    missed: int


def patience(kappa):
    """Return how many times as many steps a kappa gets as it moves few of the weights in each."""
    return {LInf: 10, TopK: 4}.get(type(kappa), 1)


def measure(kappa, shapes, seeds, steps):
    """Solve least squares and logistic regression of each shape and seed in both ways."""
    losses = ("least squares", "logistic")
    problems = [make_problem(loss, shape, seed) for loss in losses for shape in shapes for seed in seeds]
    weight_decays = [decay_that_binds(kappa, problem) for problem in problems]
    reached = lionk_minimiser(kappa, problems, weight_decays, steps * patience(kappa))
    return [_outcome(kappa, *run) for run in zip(problems, weight_decays, reached, strict=True)]


def lionk_minimiser(kappa, problems, weight_decays, steps):
    """Step all problems together, as groups of one optimizer, from 0, with an lr that falls geometrically."""
    params = [torch.nn.Parameter(torch.zeros(problem.shape, dtype=torch.float64)) for problem in problems]
    groups = [{"params": [param], "weight_decay": decay} for param, decay in zip(params, weight_decays, strict=True)]
    optimizer = lionkit.LionK(groups, kappa=kappa, betas=BETAS)
    for share in np.geomspace(0.1, 1e-6, steps):
        for problem, param, group in zip(problems, params, optimizer.param_groups, strict=True):
            param.grad = torch.from_numpy(problem.gradient(param.detach().numpy()))
            group["lr"] = share if isinstance(kappa, HalfSquaredL2) else share / group["weight_decay"]
        optimizer.step()
    return [param.detach().numpy() for param in params]


def _outcome(kappa, problem, weight_decay, reached):
    minimiser = scipy_minimiser(kappa, problem, weight_decay)
    y, y_scipy = (torch.from_numpy(weight_decay * x) for x in (reached, minimiser))
    here, there = _slack(kappa, y), _slack(kappa, y_scipy)
    return Outcome(
        loss=problem.name,
        distance=float(np.linalg.norm(reached - minimiser) / np.linalg.norm(minimiser)),
        gap=_fenchel_young_gap(kappa, -torch.from_numpy(problem.gradient(minimiser)), y_scipy),
        gauge=kappa.gauge(y).item(),
        bounds=there.numel(),
        touched=(there <= TOUCH).sum().item(),
        missed=(((here <= TOUCH) != (there <= TOUCH)) & ((here - there).abs() > TOUCH)).sum().item(),
    )


def _fenchel_young_gap(kappa, x, y):
    """Return kappa(x) + kappa*(y) - <x, y> over kappa(x): 0 where y is a subgradient at x."""
    y = y / kappa.gauge(y).clamp(min=1)  # scipy's bounds hold to 1e-9 or so
    return ((kappa.value(x) + kappa.conjugate(y) - (x * y).sum()) / kappa.value(x)).item()


def _slack(kappa, y):
    """Return the distance to every bound, or kink of the penalty, at which weights can come to lie."""
    if kappa.problem.constraint == L1().problem.constraint or isinstance(kappa, TopK):
        slack = [1 - y.abs()]
    elif isinstance(kappa, GroupL2):
        slack = [1 - y.norm(dim={"rows": 1, "columns": 0, "tensor": None}[kappa.groups])]
    elif isinstance(kappa, Spectral):
        sizes = torch.linalg.svdvals(y)
        slack = [1 - sizes / sizes[0] * kappa.gauge(y)]
    else:
        slack = [1 - kappa.gauge(y)] if kappa.gauge(y) else []
    if isinstance(kappa, TopK):
        slack.append(1 - y.abs().sum() / kappa.k)
    if isinstance(kappa, (TruncatedL1, LInf, TopK)):
        slack.append(y.abs())
    return torch.cat([part.flatten() for part in slack]) if slack else y.new_zeros(0)


def row(kappa, outcomes, steps):
    """Return a row of the table."""
    worst = [max(o.distance for o in outcomes if o.loss == loss) for loss in ("least squares", "logistic")]
    reaches = [outcome.gauge for outcome in outcomes]
    touched, bounds, missed = (sum(getattr(o, part) for o in outcomes) for part in ("touched", "bounds", "missed"))
    return (
        f"| `{kappa!r}` | {steps:,} | {worst[0]:.0e} | {worst[1]:.0e} | {min(reaches):.4f} to {max(reaches):.4f} "
        f"| {touched} of {bounds} | {missed} |"
    )


def main(name=""):
    """Print the table, or the rows of the kappas whose repr begins with a name."""
    print("| kappa | steps | distance, least squares | distance, logistic | reach | touched | missed |")
    print("|---|---|---|---|---|---|---|")
    for kappa in [*CONVERGENT, Spectral()]:
        if repr(kappa).startswith(name):
            outcomes = measure(kappa, shapes=[(2, 3), (5, 4), (8, 8)], seeds=range(3), steps=4000)
            print(row(kappa, outcomes, 4000 * patience(kappa)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
