"""What the options of a parameter group may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, get_args

from torch import Tensor

from lionkit.kappa import Kappa
from lionkit.kernels import WeightRounding
from lionkit.momentum import MomentumDtype
from lionkit.momentum._dtypes import CODECS
from lionkit.optim._agreement import Agreement
from lionkit.optim._decay import MODES, WeightDecayMode
from lionkit.optim._direction import Direction
from lionkit.optim._fit import refuses_fused
from lionkit.optim._gradient import GradientEstimate

MomentumInit = Literal["zeros", "gradient"]


class CommonOptions(TypedDict, total=False):
    """The options that every member hands on to `lionkit.LionK`, which documents them."""

    momentum_init: MomentumInit
    momentum_dtype: MomentumDtype | None
    weight_decay_mode: WeightDecayMode
    weight_rounding: WeightRounding
    seed: int
    maximize: bool
    foreach: bool | None
    capturable: bool
    differentiable: bool
    fused: bool | None


def check_options(options: Mapping[str, Any]) -> None:
    """Raise on the first option of a parameter group that is out of its range.

    Raises:
        TypeError: ``kappa`` is not a `lionkit.kappa.Kappa`, or what fills another seat does not fit it.
        ValueError: a number is out of its range, or a choice is not one of its names.
        RuntimeError: a backend was asked for that is missing, or two options that exclude each other.
    """
    _check_numbers(options)
    _check_choices(options)
    _check_backend(options)
    _check_roundings(options)
    _check_seats(options)


def _check_numbers(options: Mapping[str, Any]) -> None:
    lr, betas, weight_decay = options["lr"], options["betas"], options["weight_decay"]
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError(f"Tensor lr must be 1-element, got shape {tuple(lr.shape)}")
    if not lr >= 0:
        raise ValueError(f"Invalid learning rate: {lr}, it must be at least 0")
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise ValueError(f"Invalid betas: {betas}, they must be two numbers")
    for index, beta in enumerate(betas):
        if isinstance(beta, tuple | list) or not 0 <= beta < 1:
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}, it must be in [0, 1)")
    if not weight_decay >= 0:
        raise ValueError(f"Invalid weight_decay value: {weight_decay}, it must be at least 0")


def _check_choices(options: Mapping[str, Any]) -> None:
    kappa, seed = options["kappa"], options["seed"]
    if not isinstance(kappa, Kappa):
        raise TypeError(f"Invalid kappa: {kappa!r}, it must be a lionkit.kappa.Kappa such as L1()")
    for name, seat in _SEATS.items():
        if not (options[name] is None or isinstance(options[name], seat)):
            raise TypeError(f"Invalid {name}: {options[name]!r}, it must be None or a lionkit.optim.{seat.__name__}")
    for name, names in _NAMES.items():
        if options[name] not in names:
            raise ValueError(f"Invalid {name}: {options[name]!r}, it must be one of {', '.join(map(repr, names))}")
    if not (isinstance(seed, int) and 0 <= seed < 2**64):
        raise ValueError(f"Invalid seed: {seed!r}, it must be an integer in [0, 2**64)")


_SEATS = {"gradient": GradientEstimate, "direction": Direction, "agreement": Agreement}
_NAMES: dict[str, tuple[str | None, ...]] = {
    "momentum_init": get_args(MomentumInit),
    "momentum_dtype": (None, *get_args(MomentumDtype)),
    "weight_rounding": get_args(WeightRounding),
    "weight_decay_mode": MODES,
}


def _check_backend(options: Mapping[str, Any]) -> None:
    if options["fused"] and options["foreach"]:
        raise RuntimeError("fused=True and foreach=True: a step takes one backend")
    for backend in ("fused", "foreach"):
        if options[backend] and options["differentiable"]:
            raise RuntimeError(f"{backend}=True and differentiable=True: autograd sees through the reference alone")
    refusal = refuses_fused(options) if options["fused"] else None
    if refusal:
        raise RuntimeError(f"fused=True: {refusal}")


def _check_roundings(options: Mapping[str, Any]) -> None:
    for name, value in ((name, options[name]) for name in ("weight_rounding", "momentum_dtype")):
        if options["differentiable"] and value in ("stochastic", "kahan", *CODECS):
            raise RuntimeError(f"differentiable=True and {name}={value!r}: rounding has no derivative")
        if options["capturable"] and value in ("stochastic", *CODECS):
            raise RuntimeError(f"capturable=True and {name}={value!r}: a captured graph would repeat one step's noise")


def _check_seats(options: Mapping[str, Any]) -> None:
    """Refuse what a filled seat excludes."""
    gradient, direction, rank = options["gradient"], options["direction"], options["momentum_rank"]
    if rank is not None and not (isinstance(rank, int) and rank >= 1):
        raise ValueError(f"Invalid momentum_rank: {rank!r}, it must be None or an integer of at least 1")
    for name in ("gradient", "direction", "momentum_rank"):
        for option in ("differentiable", "capturable"):
            if options[option] and options[name] is not None:
                raise RuntimeError(f"{option}=True and {name}={options[name]!r}: it serves None there alone")
    if options["capturable"] and options["weight_decay_mode"] == "corrected":
        raise RuntimeError("capturable=True and weight_decay_mode='corrected': a graph would repeat one lr's decay")
    dense = [
        f"{name}={seat!r}"
        for name, seat, asks in (
            ("gradient", gradient, gradient is not None and gradient.dense),
            ("direction", direction, direction is not None and direction.asks_for_smallest),
            ("momentum_rank", rank, rank is not None),
        )
        if asks
    ]
    if dense and options["momentum_dtype"] in CODECS:
        raise ValueError(
            f"Invalid momentum_dtype: {options['momentum_dtype']!r} with {dense[0]}, "
            "it must be None, 'float32' or 'bfloat16'"
        )
    if rank is not None and len(dense) > 1:
        raise ValueError(f"Invalid momentum_rank: {rank} with {dense[0]}, it must be None: that needs the momentum")
