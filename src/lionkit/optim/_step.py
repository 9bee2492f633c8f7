"""The step of a parameter group: which tensors, by which backend, and what that leaves to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import torch
from torch import Tensor
from torch.optim.optimizer import _to_scalar

from lionkit import kernels
from lionkit.optim._decay import decay_rate
from lionkit.optim._direction import Directed
from lionkit.optim._fit import check_params
from lionkit.optim._shards import on_shards, seen_whole
from lionkit.optim._state import Operands
from lionkit.optim._widened import step_widened

_BACKEND_OPTIONS = ("kappa", "foreach", "fused", "differentiable")
_grad_of, _layout_of = attrgetter("grad"), attrgetter("layout")


def with_gradient(group: Mapping[str, Any], optimizer: str) -> tuple[list[Tensor], list[Tensor]]:
    """List the parameters of a group that have a gradient, and the gradients; nothing is written.

    Args:
        group: The parameter group.
        optimizer: The name of the optimizer, for the message of an error.

    Raises:
        RuntimeError: a gradient is sparse.
        ValueError: a parameter's dtype is not one that the group's rounding takes.
    """
    params, grads = group["params"], list(map(_grad_of, group["params"]))
    if type(None) in set(map(type, grads)):
        params = [param for param, grad in zip(params, grads, strict=True) if grad is not None]
        grads = [grad for grad in grads if grad is not None]
    if set(map(_layout_of, grads)) - {torch.strided}:
        _refuse_sparse(params, grads, optimizer)
    check_params(group, params)
    return params, grads


def _refuse_sparse(params: list[Tensor], grads: list[Tensor], optimizer: str) -> None:
    for param, grad in zip(params, grads, strict=True):
        if grad.layout is not torch.strided:
            raise RuntimeError(
                f"{optimizer} does not support sparse gradients: a parameter of shape "
                f"{tuple(param.shape)} has one of layout {grad.layout}; convert it with to_dense()"
            )


def step_group(
    group: dict[str, Any],
    given: Operands,
    *,
    grad_scale: Tensor | None = None,
    observed: bool = False,
    smallest: Tensor | None = None,
) -> Tensor | None:
    """Take the step.

    Args:
        group: The parameter group; its count of steps with noise goes on.
        given: The tensors of its parameters that have a gradient, at least one.
        grad_scale: A 1-element tensor that divides the gradients, as a `GradScaler` hands it over.
        observed: Whether to sum the step up.
        smallest: The smallest c of all groups, where the group's direction asks for it.

    Returns:
        The sums of `lionkit.kernels.statistics` where the step is observed, else None.
    """
    if torch.compiler.is_compiling() and _is_noisy(group, given):
        return _uncompiled(group, given, grad_scale=grad_scale, observed=observed, smallest=smallest)
    rounding, noise, direction = group["weight_rounding"], _noise(group, given), group["direction"]
    given = on_shards(group, given, noisy=_is_noisy(group, given))
    settings = {
        "kappa": seen_whole(group["kappa"], given.params),
        "lr": _to_scalar(group["lr"]),
        "betas": group["betas"],
        "weight_decay": decay_rate(group),
        "maximize": group["maximize"],
    }
    special = {"rounding": rounding, "noise": noise, "grad_scale": grad_scale, "observed": observed}
    backend = _backend(group, given)
    if backend is not kernels.native:
        backend = _directed(backend, group, given.states, smallest)
        if rounding == "nearest" and not given.scales and grad_scale is None and not observed:
            backend(given.params, given.grads, given.momenta, **settings)
            return None
        return step_widened(backend, given, range(len(given.params)), **special, **settings)
    sums = torch.empty(len(kernels.SUMS), dtype=torch.float64, device="cpu") if observed else None
    left = kernels.native(
        given.params,
        given.grads,
        given.momenta,
        **settings,
        cautious=group["weight_decay_mode"] == "cautious",
        mask=None if direction is None else direction.mask,
        grad_scale=grad_scale,
        scales=given.scales,
        compensations=given.compensations,
        weight_rounding=rounding,
        noise=noise,
        statistics=sums,
    )
    if left:
        foreach = _directed(kernels.foreach, group, [given.states[i] for i in left], smallest)
        others = step_widened(foreach, given, left, **special, **settings)
        sums = None if sums is None or others is None else kernels.merge([sums, others])
    return sums


def _backend(group: Mapping[str, Any], given: Operands) -> kernels.Backend:
    """Return what steps the tensors: another than the native kernel where that does not know direction or places."""
    options, direction = {name: group[name] for name in _BACKEND_OPTIONS}, group["direction"]
    if given.places or (direction is not None and direction.mask is None):
        options["fused"] = False
    return kernels.select(given.params, **options)


def _directed(
    backend: kernels.Backend, group: Mapping[str, Any], states: Sequence[dict[str, Any]], smallest: Tensor | None
) -> kernels.Backend:
    """Lead a backend along the group's direction and cautious decay, where it has one of them."""
    direction, cautious = group["direction"], group["weight_decay_mode"] == "cautious"
    if direction is None and not cautious:
        return backend
    key = kernels.step_key(~group["seed"], group["noise_step"])  # apart from the noise of roundings
    return Directed(backend, direction, cautious, states, key, smallest)


@torch._disable_dynamo  # torch.compiler's own would import the whole compiler with the library
def _uncompiled(*args: Any, **kwargs: Any) -> Tensor | None:
    """Step outside of a compiled graph: a key of noise is another constant at every step."""
    return step_group(*args, **kwargs)


def _is_noisy(group: Mapping[str, Any], given: Operands) -> bool:
    direction = group["direction"]
    noisy = group["momentum_rank"] is not None or (direction is not None and direction.noisy)
    return group["weight_rounding"] == "stochastic" or bool(given.scales) or noisy


def _noise(group: dict[str, Any], given: Operands) -> int:
    """Return the key of this step's noise, and count the step, where one is needed."""
    if not _is_noisy(group, given):
        return 0
    key = kernels.step_key(group["seed"], group["noise_step"])
    group["noise_step"] += 1
    return key
