"""One measurement: the norms of the full gradient of one network with one seed."""

import time
from dataclasses import dataclass

import torch

from lionkit import probes
from lionkit_lab.ratio._cases import Case
from lionkit_lab.ratio._objectives import objective


@dataclass(frozen=True)
class Measurement:
    """What one network said at initialisation.

    Attributes:
        model: The name of its case.
        case: The hash of its case.
        seed: Seed of its weights.
        num_samples: Images or windows that were summed over.
        dim: Number of weights d.
        loss: Mean loss over the samples, in nats.
        l1: The l1 norm of the gradient, in loss per weight.
        l2: The l2 norm of the gradient, in loss per weight.
        ratio: The norm ratio r.
        top: The parameter with the largest l2 norm.
        top_share: Its share of the squared l2 norm, in [0, 1]: near 1, r is about that one parameter's.
        seconds: What it took, wall clock.
    """

    model: str
    case: str
    seed: int
    num_samples: int
    dim: int
    loss: float
    l1: float
    l2: float
    ratio: float
    top: str
    top_share: float
    seconds: float


def measure(case: Case, seed: int) -> Measurement:
    """Draw the weights and take the full gradient over the case's samples.

    Args:
        case: The network and its data.
        seed: Of the weights, at least 0.

    Raises:
        RunError: Data are damaged, or the tokenizer of a full-size network was not fetched.
    """
    started = time.perf_counter()
    task = objective(case)
    torch.manual_seed(seed)
    found = probes.full_gradient(task.build(), task.loss, task.batches())
    norms, parts = found.total, found.per_parameter
    top = max(parts, key=lambda name: parts[name].l2)
    return Measurement(
        model=case.name,
        case=case.sha256(),
        seed=seed,
        num_samples=found.num_samples,
        dim=norms.dim,
        loss=found.loss,
        l1=norms.l1,
        l2=norms.l2,
        ratio=norms.ratio,
        top=top,
        top_share=(parts[top].l2 / norms.l2) ** 2,
        seconds=round(time.perf_counter() - started, 3),
    )
