"""Momenta of so many workers, for another number of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from lionkit.distributed._merge_refusals import MOMENTUM, refusal
from lionkit.momentum import CODES, DENSE, SCALES, codec_of, has_momentum

Merging = Literal["average", "restart"]


def merge_momenta(states: Sequence[Mapping[str, Any]], how: Merging) -> dict[str, Any]:
    r"""Return one state dict for all workers, of any number, from those of workers that agreed.

    Use it to go on with fewer or more workers than a run was begun with: each kept the momentum :math:`m_i` of its own
    gradients. Their mean is the momentum of the mean gradient, since the recursion is linear, as long as no worker
    abstained:

    .. math::
        \bar m_{t+1} = \frac1N \sum_i \bigl(\beta_2 m_{i,t} + (1 - \beta_2) g_{i,t}\bigr)
            = \beta_2 \bar m_t + (1 - \beta_2) \bar g_t

    "average" starts every new worker from this mean, the momentum that Lion on all-reduced gradients would have.
    "restart" starts them from zeros: the first steps are then signs of single gradients. Everything else is kept, as
    weights and their Kahan compensation, which are the same on all workers.

    Args:
        states: ``optimizer.state_dict()`` of each worker, all after the same step, by rank; at least one. Nothing is
            written to them.
        how: "average": the mean, taken in float64 and kept as the momenta were, codes rounded to the nearest anew
            unless all workers have the same. A worker without a momentum counts as zeros. "restart": zeros.

    Returns:
        What the state of any worker may be replaced by; what was not merged is not copied.

    Raises:
        ValueError: the states do not fit together, as of other parameters, settings, steps or agreements.

    Example:
        >>> import torch, lionkit
        >>> states = []
        >>> for slope in (1.0, -3.0):
        ...     weight = torch.nn.Parameter(torch.zeros(2))
        ...     optimizer = lionkit.Lion([weight], lr=0.1, weight_decay=0.5, betas=(0.9, 0.75))
        ...     (slope * weight).sum().backward()
        ...     optimizer.step()
        ...     states.append(optimizer.state_dict())
        >>> optimizer.load_state_dict(lionkit.distributed.merge_momenta(states, "average"))
        >>> optimizer.state[weight]["exp_avg"]
        tensor([-0.2500, -0.2500])

    References:
        Liu et al., "Communication Efficient Distributed Training with Distributed Lion", arXiv 2404.00438,
        Algorithm 1, for the momenta; its number of workers is one throughout.
    """
    if how not in get_args(Merging):
        raise ValueError(f"Invalid how: {how!r}, it must be 'average' or 'restart'")
    reason = refusal(states)
    if reason is not None:
        raise ValueError(reason)
    merged = {}
    for id_ in (id_ for group in states[0]["param_groups"] for id_ in group["params"]):
        kept = [state["state"][id_] for state in states if state["state"].get(id_)]
        momenta = [it for it in kept if has_momentum(it)]
        if kept:
            merged[id_] = {**kept[0], **(_merged(momenta, how, len(states)) if momenta else {})}
    return {**states[0], "state": merged}


def _merged(momenta: Sequence[Mapping[str, Tensor]], how: Merging, workers: int) -> dict[str, Tensor]:
    """Return the momentum that the states of one parameter make, in their form."""
    first = momenta[0]
    form = [name for name in MOMENTUM if name in first]
    if how == "restart":
        return {name: torch.zeros_like(first[name]) for name in form}
    if len(momenta) == workers and all(it[name].equal(first[name]) for it in momenta for name in form):
        return {name: first[name] for name in form}  # codes coded anew could be others
    total = sum(_decoded(it) for it in momenta)
    assert isinstance(total, Tensor)
    mean = total / workers
    if DENSE in first:
        return {DENSE: mean.to(first[DENSE].dtype)}
    return dict(zip((CODES, SCALES), codec_of(first[CODES]).encode(mean.to(torch.float32)), strict=True))


def _decoded(kept: Mapping[str, Tensor]) -> Tensor:
    """Return a momentum in double precision; of codes without its shape, and with the 0 that may fill the last byte."""
    if DENSE in kept:
        return kept[DENSE].to(torch.promote_types(kept[DENSE].dtype, torch.float64))
    codes, codec = kept[CODES], codec_of(kept[CODES])
    return codec.decode(codes, kept[SCALES], (codes.numel() * 8 // codec.bits,)).double()
