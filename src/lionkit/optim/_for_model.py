"""A model's optimizer: one member for its hidden matrices, another for the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from torch import Tensor, nn

from lionkit.optim._lion import Lion
from lionkit.optim._lionk import LionK
from lionkit.optim._muon import Muon

_EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)


@dataclass(frozen=True)
class Split:
    """A model's parameters, parted; printed, it is a small table.

    Attributes:
        matrices: Hidden matrices, by name.
        rest: All others that have a gradient, by name.
        reasons: Why each of ``rest`` is there, by name.
    """

    matrices: Mapping[str, Tensor]
    rest: Mapping[str, Tensor]
    reasons: Mapping[str, str]

    def table(self, member: str = "matrices", fallback: str = "rest") -> str:
        """Return a row for every parameter: who steps it, its name, its shape and, of the rest, the reason."""
        rows = [(member, name, _shape(param), "") for name, param in self.matrices.items()]
        rows += [(fallback, name, _shape(param), self.reasons[name]) for name, param in self.rest.items()]
        widths = [max([len(row[column]) for row in rows], default=0) for column in range(3)]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, (*widths, 0), strict=True)) for row in rows]
        totals = [
            f"{who}: {len(params)} parameters, {sum(param.numel() for param in params.values()):,} weights"
            for who, params in ((member, self.matrices), (fallback, self.rest))
        ]
        return "\n".join(line.rstrip() for line in (*lines, *totals))

    def __str__(self) -> str:
        return self.table()


def split(model: nn.Module, rest: Sequence[str] = ()) -> Split:
    """Part a model's parameters into hidden matrices and the rest.

    A parameter that requires a gradient is a hidden matrix unless, in this order, it

    1. has a name that one of ``rest`` matches;
    2. has not exactly 2 dims, as biases, norms and convolutions, or is complex;
    3. is the weight of an `nn.Embedding` or `nn.EmbeddingBag`, or tied to one;
    4. is of the output layer: what ``model.get_output_embeddings()`` returns, where the model has it, else the
       last `nn.Linear` that the model has registered, where it has more than one.

    Args:
        model: Any module.
        rest: Patterns for names, as of files: ``"head.*"``, ``"*.gate.weight"``.

    Raises:
        ValueError: a pattern matches no parameter.

    Example:
        >>> import torch, lionkit
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Linear(8, 8), torch.nn.Linear(8, 2))
        >>> print(lionkit.optim.split(model))
        matrices  0.weight  8 x 4
        matrices  1.weight  8 x 8
        rest      0.bias    8      1 dim
        rest      1.bias    8      1 dim
        rest      2.weight  2 x 8  output layer
        rest      2.bias    2      1 dim
        matrices: 2 parameters, 96 weights
        rest: 4 parameters, 34 weights
    """
    params = {name: param for name, param in model.named_parameters() if param.requires_grad}
    for pattern in rest:
        if not any(fnmatchcase(name, pattern) for name in params):
            raise ValueError(f"Invalid rest: {pattern!r} matches none of the model's {len(params)} parameters")
    roles = _roles(model)
    reasons = {name: _reason(name, param, rest, roles) for name, param in params.items()}
    return Split(
        {name: param for name, param in params.items() if not reasons[name]},
        {name: param for name, param in params.items() if reasons[name]},
        {name: reason for name, reason in reasons.items() if reason},
    )


def for_model(
    model: nn.Module,
    member: type[LionK] = Muon,
    fallback: type[LionK] = Lion,
    *,
    options: Mapping[str, Any] | None = None,
    fallback_options: Mapping[str, Any] | None = None,
    rest: Sequence[str] = (),
    verbose: bool = True,
) -> LionK:
    """Return one optimizer for a whole model: a member for its hidden matrices, another for the rest.

    The rules of the split are those of `split`. It is one `LionK` of one or two groups, so that schedulers, checkpoints
    and hooks see one optimizer; every group has its own options, and the parameters their names.

    Args:
        model: Any module.
        member: For hidden matrices.
        fallback: For all other parameters.
        options: Those of ``member``, as its ``lr`` and ``weight_decay``; a unit of lr is that of each member.
        fallback_options: Those of ``fallback``.
        rest: Patterns for names that go to ``fallback`` whatever the rules say.
        verbose: Print the split.

    Raises:
        ValueError: an option is out of its range, a pattern matches nothing, or no parameter requires a gradient.
        TypeError: ``member`` or ``fallback`` is no class of this library's, as AdamW is not.

    Example:
        >>> import torch, lionkit
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Linear(8, 2))
        >>> optimizer = lionkit.for_model(
        ...     model, options={"lr": 0.02, "weight_decay": 0.1}, fallback_options={"lr": 1e-3, "weight_decay": 0.1}
        ... )
        Muon  0.weight  8 x 4
        Lion  0.bias    8      1 dim
        Lion  1.weight  2 x 8  output layer
        Lion  1.bias    2      1 dim
        Muon: 1 parameters, 32 weights
        Lion: 3 parameters, 26 weights
    """
    for name, made in (("member", member), ("fallback", fallback)):
        if not (isinstance(made, type) and issubclass(made, LionK)):
            raise TypeError(f"Invalid {name}: {made!r}, it must be lionkit.LionK or a member of it, as lionkit.Lion")
    parts = split(model, rest)
    if verbose:
        print(parts.table(member.__name__, fallback.__name__))
    choices = (member, parts.matrices, options), (fallback, parts.rest, fallback_options)
    groups = [
        group
        for made, params, own in choices
        if params
        for group in made(list(params.items()), **own or {}).param_groups
    ]
    for group in groups:
        del group["noise_step"]  # where a group's noise begins is its place in the optimizer to be
    return LionK(groups)


def _roles(model: nn.Module) -> dict[Tensor, str]:
    """Name the parameters that are matrices without being hidden ones."""
    embeddings = [module.weight for module in model.modules() if isinstance(module, _EMBEDDINGS)]
    linear = [module for module in model.modules() if isinstance(module, nn.Linear)]
    find = getattr(model, "get_output_embeddings", None)
    output = find() if callable(find) else (linear[-1] if len(linear) > 1 else None)
    of_output = dict.fromkeys(output.parameters(), "output layer") if isinstance(output, nn.Module) else {}
    return {**of_output, **dict.fromkeys(embeddings, "embedding")}


def _reason(name: str, param: Tensor, rest: Sequence[str], roles: Mapping[Tensor, str]) -> str:
    """Say why a parameter is not a hidden matrix; nothing where it is one."""
    if any(fnmatchcase(name, pattern) for pattern in rest):
        return "by name"
    if param.ndim != 2:
        return f"{param.ndim} dim{'' if param.ndim == 1 else 's'}"
    return "complex" if param.is_complex() else roles.get(param, "")


def _shape(param: Tensor) -> str:
    return " x ".join(map(str, param.shape)) if math.prod(param.shape) != 1 or param.ndim else "scalar"
