"""Who takes the steps, each from its own released package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

from torch import Tensor
from torch.nn import Parameter
from torch.optim import Optimizer

from lionkit_lab.bench._cases import ITEMSIZE, Case
from lionkit_lab.errors import UsageError, nearest

SETTINGS = {"lr": 1e-4, "weight_decay": 0.1}
BASELINE = "torch AdamW, fused"
MUON, TORCH_MUON = "lionkit Muon", "torch Muon"
_HALF = ("bfloat16", "float16")


@dataclass(frozen=True)
class Contender:
    """Where an optimizer comes from.

    Attributes:
        distribution: What pip installs.
        module: Where the optimizer is.
        optimizer: Its class.
        options: Its options beside `SETTINGS`.
        dtypes: The weights for which it is another contender than the ones above it; none: all.
        observed: Whether it takes the statistics of every step.
        slow: Whether a quick run leaves it out.
        matrices: Whether it steps matrices alone.
    """

    distribution: str
    module: str
    optimizer: str = "Lion"
    options: Mapping[str, Any] = field(default_factory=dict)
    dtypes: tuple[str, ...] = ()
    observed: bool = False
    slow: bool = False
    matrices: bool = False

    def takes(self, case: Case) -> bool:
        """Whether it takes part in a case."""
        return case.dtype in (self.dtypes or ITEMSIZE) and (case.columns is not None or not self.matrices)

    @property
    def missing(self) -> bool:
        """Whether the package is not installed."""
        return find_spec(self.module.partition(".")[0]) is None

    @property
    def version(self) -> str:
        """The installed version."""
        return metadata.version(self.distribution)

    @property
    def native(self) -> bool:
        """Whether it is this library's kernel."""
        return self.module == "lionkit" and not (self.slow or self.matrices)

    def make(self, weights: Sequence[Tensor], grads: Sequence[Tensor]) -> Optimizer:
        """Build the optimizer on its own copy of the weights.

        Args:
            weights: The values to start from.
            grads: A gradient of the same shape and dtype for each; not copied.

        Raises:
            Exception: Whatever the optimizer raises at options that it does not have.
        """
        params = [Parameter(weight.clone()) for weight in weights]
        for param, grad in zip(params, grads, strict=True):
            param.grad = grad
        optimizer = getattr(import_module(self.module), self.optimizer)(params, **SETTINGS, **self.options)
        if self.observed:
            optimizer.observe(every=1)
        return optimizer


def _lionkit(dtypes: tuple[str, ...] = (), **options: Any) -> Contender:
    return Contender("lionkit", "lionkit", options=options, dtypes=dtypes)


CONTENDERS = {
    "lionkit": _lionkit(),
    "lionkit, statistics": Contender("lionkit", "lionkit", observed=True),
    "lionkit, float32 momentum": _lionkit(_HALF, momentum_dtype="float32"),
    "lionkit, bfloat16 momentum": _lionkit(("float32", "float64", "float16"), momentum_dtype="bfloat16"),
    "lionkit, int8 momentum": _lionkit(momentum_dtype="int8"),
    "lionkit, int4 momentum": _lionkit(momentum_dtype="int4"),
    "lionkit, stochastic rounding": _lionkit(("bfloat16",), weight_rounding="stochastic"),
    "lionkit, Kahan": _lionkit(_HALF, weight_rounding="kahan"),
    "lionkit, int8 and stochastic": _lionkit(("bfloat16",), momentum_dtype="int8", weight_rounding="stochastic"),
    "lionkit, foreach": Contender("lionkit", "lionkit", options={"foreach": True}, slow=True),
    "torch.compile of the reference": Contender(
        "lionkit", "lionkit_lab.bench._compiled", "CompiledReference", slow=True
    ),
    BASELINE: Contender("torch", "torch.optim", "AdamW", {"fused": True}),
    "torch SGD, fused": Contender("torch", "torch.optim", "SGD", {"fused": True, "momentum": 0.9}),
    "lion-pytorch": Contender("lion-pytorch", "lion_pytorch"),
    # Its Kahan summation, the default in bfloat16, writes to the gradients, which are shared here.
    "torch-optimi": Contender("torch-optimi", "optimi", options={"kahan_sum": False}, slow=True),
    "pytorch_optimizer": Contender("pytorch_optimizer", "pytorch_optimizer", slow=True),
    "bitsandbytes": Contender("bitsandbytes", "bitsandbytes.optim", slow=True),
    "bitsandbytes, 8-bit": Contender("bitsandbytes", "bitsandbytes.optim", "Lion8bit", slow=True),
    MUON: Contender("lionkit", "lionkit", "Muon", matrices=True),
    TORCH_MUON: Contender("torch", "torch.optim", "Muon", matrices=True),
}


def choose(only: Sequence[str], peers: bool = True) -> list[str]:
    """Choose contenders; the baseline is always one.

    Args:
        only: Parts of their names, in any case; none: all.
        peers: Whether slow ones take part when all are asked for.

    Raises:
        UsageError: A part is in no name.
    """
    chosen = set() if only else {name for name, it in CONTENDERS.items() if peers or not it.slow}
    for part in only:
        found = {name for name in CONTENDERS if part.lower() in name.lower()}
        if not found:
            known = ", ".join(f'"{name}"' for name in CONTENDERS)
            raise UsageError(f'contender "{part}" is not known{nearest(part, CONTENDERS)}; known: {known}')
        chosen |= found
    return [name for name in CONTENDERS if name in chosen or name == BASELINE]
