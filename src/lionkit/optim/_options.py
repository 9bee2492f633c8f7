"""What the options of a parameter group may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from torch import Tensor

from lionkit import kernels
from lionkit.kappa import Kappa

MomentumInit = Literal["zeros", "gradient"]


def check_options(options: Mapping[str, Any]) -> None:
    """Raise on the first option of a parameter group that is out of its range.

    Raises:
        TypeError: ``kappa`` is not a `lionkit.kappa.Kappa`.
        ValueError: a number is out of its range, or ``momentum_init`` is not one of its names.
        RuntimeError: a backend was asked for that is missing, or two that exclude each other.
    """
    _check_numbers(options)
    _check_choices(options)
    _check_backend(options)


def _check_numbers(options: Mapping[str, Any]) -> None:
    lr, betas, weight_decay = options["lr"], options["betas"], options["weight_decay"]
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError(f"Tensor lr must be 1-element, got shape {tuple(lr.shape)}")
    if not lr >= 0:
        raise ValueError(f"Invalid learning rate: {lr}, it must be at least 0")
    if len(betas) != 2:
        raise ValueError(f"Invalid betas: {betas}, they must be two numbers")
    for index, beta in enumerate(betas):
        if not 0 <= beta < 1:
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}, it must be in [0, 1)")
    if not weight_decay >= 0:
        raise ValueError(f"Invalid weight_decay value: {weight_decay}, it must be at least 0")


def _check_choices(options: Mapping[str, Any]) -> None:
    kappa, momentum_init = options["kappa"], options["momentum_init"]
    if not isinstance(kappa, Kappa):
        raise TypeError(f"Invalid kappa: {kappa!r}, it must be a lionkit.kappa.Kappa such as L1()")
    if momentum_init not in get_args(MomentumInit):
        raise ValueError(f"Invalid momentum_init: {momentum_init!r}, it must be 'zeros' or 'gradient'")


def _check_backend(options: Mapping[str, Any]) -> None:
    if options["fused"] and options["foreach"]:
        raise RuntimeError("fused=True and foreach=True: a step takes one backend")
    for backend in ("fused", "foreach"):
        if options[backend] and options["differentiable"]:
            raise RuntimeError(f"{backend}=True and differentiable=True: autograd sees through the reference alone")
    refusal = kernels.refusal([], options["kappa"]) if options["fused"] else None
    if refusal:
        raise RuntimeError(f"fused=True: {refusal}")
