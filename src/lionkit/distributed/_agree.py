"""The door: workers that step together."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from lionkit.distributed._checksum import require_same_weights
from lionkit.distributed._exchange import Exchange
from lionkit.distributed._mode import Mode
from lionkit.distributed._refusals import process_group_of, refusal, require_agreement, trained_parameters
from lionkit.distributed._vote import Vote
from lionkit.distributed._workers import Place, Workers
from lionkit.optim import LionK


def agree(model: nn.Module, optimizer: Optimizer, mode: Mode = Vote(), *, check_every: int | None = 100) -> Workers:  # noqa: B008
    r"""Let the workers of a `DistributedDataParallel` decide every step's direction together, a bit a parameter.

    Use it where the network is slower than the gradients: each worker keeps the momentum :math:`m_i` of its own
    gradients, sends the signs of what it sees, and all take the step that `mode` makes of them:

    .. math::
        \delta_i &= \nabla\kappa(\beta_1 m_i + (1 - \beta_1) g_i) \\
        \theta &\leftarrow (1 - \eta\lambda)\,\theta - \eta\,\Delta(\delta_1, \ldots, \delta_N) \\
        m_i &\leftarrow \beta_2 m_i + (1 - \beta_2) g_i

    Settings are those of Lion on one process. DDP works as it always does: the votes on a bucket travel while the
    backward pass makes the next, `no_sync` accumulates, unused parameters stand still. What is different:

    - After ``backward()`` the ``grad`` of a parameter is the direction that was agreed. Do not clip it, and use no
      `GradScaler`; a step that you skip has moved the momenta.
    - Momenta differ from worker to worker: save ``optimizer.state_dict()`` on each of them.
    - A worker without a gradient for a parameter abstains: it votes 0 and its momentum stands. A parameter without a
      gradient on all workers is left alone.

    Args:
        model: The wrapped model, on CPUs and gloo.
        optimizer: A `lionkit.LionK` or a member with all trained parameters of the model and no others; kappa
            `L1` or `TruncatedL1`, whose directions are -1, 0 and 1. Its seats of gradient and direction, and
            `momentum_rank`, must be empty.
        mode: `Vote`, `Mean`, `SignOfMean` or `UnbiasedVote`.
        check_every: After so many steps the weights of all workers are compared by checksums, and where one has
            diverged, all stop. None: never.

    Returns:
        The workers; their `traffic` counts the bytes.

    Raises:
        ValueError: the model, the optimizer or the mode does not serve, or one rank's differ from the others'; on
            every rank, with what and where.
        RuntimeError: there is no process group.

    Example:
        >>> import torch, lionkit
        >>> import torch.distributed as dist
        >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
        >>> model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 2))
        >>> optimizer = lionkit.Lion(model.parameters(), lr=1e-3, weight_decay=0.1)
        >>> workers = lionkit.distributed.agree(model, optimizer)
        >>> model(torch.ones(3, 4)).sum().backward()
        >>> model.module.bias.grad
        tensor([1., 1.])
        >>> optimizer.step()
        >>> dist.destroy_process_group()

    References:
        Liu et al., "Communication Efficient Distributed Training with Distributed Lion", arXiv 2404.00438,
        Algorithm 1.
    """
    group = process_group_of(model)
    require_agreement(group, refusal(model, optimizer, mode, check_every), model, optimizer, mode)
    assert isinstance(model, DistributedDataParallel)
    assert isinstance(optimizer, LionK)
    # Of its own: what DDP itself sends meanwhile, as buffers and which parameters are used, must not come between.
    up, down = _another(group), _another(group)
    workers = Workers(optimizer, mode, Exchange(up, down), _places(model, optimizer), dist.get_rank(group))
    # A lambda: torch reads a function's annotations, and takes them for wrong where they are strings.
    model.register_comm_hook(workers, lambda state, bucket: state.vote(bucket))
    model.register_forward_pre_hook(lambda *_: workers.refuse_to_add_up())
    optimizer.register_step_post_hook(_after_step(model, workers, up, check_every))
    for options in optimizer.param_groups:
        options["agreement"] = workers
    return workers


def _another(group: dist.ProcessGroup) -> dist.ProcessGroup:
    """Make a process group of the same processes and the same patience; torch's own would be half an hour's."""
    found = dist.new_group(
        dist.get_process_group_ranks(group),
        timeout=group._get_backend(torch.device("cpu")).options._timeout,
        backend="gloo",
        use_local_synchronization=True,
    )
    assert isinstance(found, dist.ProcessGroup)
    return found


def _places(model: DistributedDataParallel, optimizer: LionK) -> dict[Any, Place]:
    """Number the parameters in the order of the optimizer, which is the same on all processes."""
    names = {param: name for name, param in model.module.named_parameters()}
    flat = [(index, param) for index, group in enumerate(optimizer.param_groups) for param in group["params"]]
    return {param: Place(index, position, names[param]) for position, (index, param) in enumerate(flat)}


def _after_step(model: DistributedDataParallel, workers: Workers, group: dist.ProcessGroup, every: int | None) -> Any:
    names, params = zip(*trained_parameters(model), strict=True)
    steps = 0

    def after_step(*_: Any) -> None:
        nonlocal steps
        steps += 1
        workers.forget()
        if every is not None and steps % every == 0:
            require_same_weights(names, params, group, steps)

    return after_step
