"""The reference under `torch.compile`: what a user gets who writes Lion down and leaves the speed to torch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from lionkit import kernels
from lionkit.kappa import L1


class CompiledReference(Optimizer):
    """Lion by the compiled reference, tensor by tensor; it compiles at the first step.

    A graph of the whole step would be faster on thousands of tensors, but takes minutes to compile there.

    Args:
        params: Parameters of one shape and dtype.
        lr: Learning rate, at least 0.
        weight_decay: Decoupled decay, at least 0.
    """

    def __init__(self, params: list[Tensor], lr: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})
        torch.compiler.reset()  # else a second shape is compiled for any shape, and the ninth not at all
        self._update = torch.compile(kernels.reference, dynamic=False)
        for param in params:
            self.state[param]["exp_avg"] = torch.zeros_like(param)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take one step."""
        (group,) = self.param_groups
        for param in group["params"]:
            self._update(
                [param.detach()],  # the compiler takes the address of a Parameter for a constant
                [param.grad],
                [self.state[param]["exp_avg"]],
                kappa=L1(),
                lr=group["lr"],
                betas=(0.9, 0.99),
                weight_decay=group["weight_decay"],
                maximize=False,
            )
