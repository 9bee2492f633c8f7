"""One parameter stepped by an optimizer, as every check does it."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

Make = Callable[..., Optimizer]

LOG = logging.getLogger("contract")
# lr and lr * weight_decay are exact in float32, so that lr as a tensor is the same number as lr as a float.
SETTINGS: dict[str, Any] = {"lr": 2**-7, "betas": (0.9, 0.99), "weight_decay": 0.5}
START = torch.tensor([-2.0, -1.25, -0.5, 0.5, 1.25, 2.0])
# An odd number of them: after an even one, steps of plus and minus lr could bring a weight back to its start.
GRADS = list(torch.randn(5, 6, generator=torch.Generator().manual_seed(1)))


def offers(make: Make, option: str) -> bool:
    """Whether the constructor names the option; one that disappears in ``**kwargs`` does not count."""
    return option in inspect.signature(make).parameters


def step(optimizer: Optimizer, param: Tensor, grads: Iterable[Tensor]) -> None:
    """Take one step a gradient."""
    for grad in grads:
        param.grad = grad.clone()
        optimizer.step()


def run(
    make: Make, start: Tensor = START, grads: Iterable[Tensor] = GRADS, **options: Any
) -> tuple[Parameter, Optimizer]:
    """Step one parameter through the gradients, from `SETTINGS` and the options."""
    param = Parameter(start.clone())
    optimizer = make([param], **{**SETTINGS, **options})
    step(optimizer, param, grads)
    return param, optimizer


def refused(error: Exception) -> bool:
    """Log what a refusal says, and count it as a no."""
    LOG.info("    %s: %s", type(error).__name__, str(error).partition("\n")[0])
    return False


def own_errors() -> tuple[type[Exception], ...]:
    """Return the refusals of pytorch_optimizer, which are no ValueError or RuntimeError."""
    module = sys.modules.get("pytorch_optimizer.base.exception")
    return () if module is None else (module.NegativeLRError, module.NoSparseGradientError)


def momentum(optimizer: Optimizer, param: Parameter) -> Tensor:
    """Return the momentum: `exp_avg` everywhere but in bitsandbytes, where it is `state1`."""
    state = optimizer.state[param]
    return state["exp_avg"] if "exp_avg" in state else state["state1"]
