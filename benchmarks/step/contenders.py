"""Who takes the steps."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

SETTINGS = {"lr": 1e-4, "weight_decay": 0.1}
BASELINE = "torch AdamW, fused"


class Contender(NamedTuple):
    """Where an optimizer comes from, and its options beside `SETTINGS`."""

    distribution: str
    module: str
    optimizer: str = "Lion"
    options: dict[str, Any] = {}  # noqa: RUF012  (never written to)

    def make(self, weights: list[Tensor], grads: list[Tensor]) -> Optimizer:
        """Build the optimizer on its own copy of the weights."""
        params = [Parameter(weight.clone()) for weight in weights]
        for param, grad in zip(params, grads, strict=True):
            param.grad = grad
        return getattr(import_module(self.module), self.optimizer)(params, **SETTINGS, **self.options)


CONTENDERS = {
    "lionkit Lion": Contender("lionkit", "lionkit"),
    "lionkit Lion, foreach": Contender("lionkit", "lionkit", options={"foreach": True}),
    BASELINE: Contender("torch", "torch.optim", "AdamW", {"fused": True}),
    "torch SGD, fused": Contender("torch", "torch.optim", "SGD", {"fused": True, "momentum": 0.9}),
    "lion-pytorch": Contender("lion-pytorch", "lion_pytorch"),
    # Its Kahan summation, the default in bfloat16, writes to the gradients, which are shared here.
    "torch-optimi": Contender("torch-optimi", "optimi", options={"kahan_sum": False}),
    "pytorch_optimizer": Contender("pytorch_optimizer", "pytorch_optimizer"),
    "bitsandbytes": Contender("bitsandbytes", "bitsandbytes.optim"),
}
MISSING = [name for name, contender in CONTENDERS.items() if find_spec(contender.module.partition(".")[0]) is None]
