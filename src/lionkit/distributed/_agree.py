"""The door: workers that step together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.optim import Optimizer

from lionkit.distributed._checksum import require_same_weights
from lionkit.distributed._ddp import DDPTeam
from lionkit.distributed._exchange import Exchange
from lionkit.distributed._mode import Mode
from lionkit.distributed._refusals import refusal, require_agreement
from lionkit.distributed._team import Team
from lionkit.distributed._vote import Vote
from lionkit.distributed._workers import Place, Workers
from lionkit.optim import LionK


def agree(
    model: nn.Module,
    optimizer: Optimizer,
    mode: Mode = Vote(),  # noqa: B008
    *,
    replicas: DeviceMesh | None = None,
    check_every: int | None = 100,
) -> Workers:
    r"""Let the workers of a `DistributedDataParallel`, or replicas, decide every step's direction, a bit a parameter.

    Use it where the network is slower than the gradients: each worker keeps the momentum :math:`m_i` of its own
    gradients, sends the signs of what it sees, and all take the step that `mode` makes of them:

    .. math::
        \delta_i &= \nabla\kappa(\beta_1 m_i + (1 - \beta_1) g_i) \\
        \theta &\leftarrow (1 - \eta\lambda)\,\theta - \eta\,\Delta(\delta_1, \ldots, \delta_N) \\
        m_i &\leftarrow \beta_2 m_i + (1 - \beta_2) g_i

    Settings are those of Lion on one process. DDP works as it always does: the votes on a bucket travel while the
    backward pass makes the next, `no_sync` accumulates, unused parameters stand still. Of a model that `fully_shard`
    has cut a worker is a replica, a group of processes that FSDP2 trains as it always does. What is different:

    - After ``backward()`` the ``grad`` of a parameter is the direction that was agreed. Do not clip it, and use no
      `GradScaler`; a step that you skip has moved the momenta.
    - Momenta differ from worker to worker: save ``optimizer.state_dict()`` on each of them.
    - A worker without a gradient for a parameter abstains: it votes 0 and its momentum stands. A parameter without a
      gradient on all workers is left alone.

    Args:
        model: The wrapped model, on CPUs and gloo; or one that `fully_shard` has cut over one dim of a mesh.
        optimizer: A `lionkit.LionK` or a member with all trained parameters of the model and no others; kappa
            `L1` or `TruncatedL1`, whose directions are -1, 0 and 1. Its seats of gradient and direction, and
            `momentum_rank`, must be empty.
        mode: `Vote`, `Mean`, `SignOfMean` or `UnbiasedVote`.
        replicas: The other dim of that mesh, in which the processes hold the same shard and vote on it. All processes
            of the job are in the mesh. None: the model is a `DistributedDataParallel`.
        check_every: After so many steps the weights of all workers are compared by checksums, and where one has
            diverged, all stop. None: never.

    Returns:
        The workers; their `traffic` counts the bytes.

    Raises:
        ValueError: the model, the optimizer or the mode does not serve, or one rank's differ from the others'; on
            every rank, with what and where.
        RuntimeError: there is no process group.

        Later, from ``backward()`` or ``step()``, on all processes: `VoteError` where a worker is gone, and
        `DivergedWorkerError` where one has other weights than most.

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
    team = _team_of(model, replicas)
    copies = require_agreement(team, refusal(team, optimizer, mode, check_every), optimizer, mode, check_every)
    assert isinstance(optimizer, LionK)
    # Of its own: what DDP itself sends meanwhile, as buffers and which parameters are used, must not come between.
    up, down = _another(team.group, copies), _another(team.group, copies)
    exchange, places = Exchange(up, down), _places(team, optimizer)
    workers = Workers(optimizer, mode, exchange, places, dist.get_rank(up), _comparison(team, copies))
    team.attach(workers)
    optimizer.register_step_post_hook(lambda *_: workers.end_step(check_every))
    for options in optimizer.param_groups:
        options["agreement"] = workers
    return workers


def _team_of(model: nn.Module, replicas: DeviceMesh | None) -> Team:
    """Return the processes that must agree on whether to agree.

    Raises:
        RuntimeError: there are none.
        ValueError: they cannot vote, which each of them sees by itself.
    """
    if not (dist.is_available() and dist.is_initialized()):
        raise RuntimeError("there is no process group: call torch.distributed.init_process_group, or use torchrun")
    if replicas is None:
        return DDPTeam(model)
    from lionkit.distributed._replicas import ReplicaTeam  # DTensors: a quarter of a second, for those who have some

    return ReplicaTeam(model, replicas)


def _another(group: dist.ProcessGroup, copies: list[list[int]]) -> dist.ProcessGroup:
    """Make a process group of each list of ranks, and return that of this process.

    All of the job must call for each of them: else torch names a group by how many a process has, and they would wait
    for each other where some have more. Without the rest of the job there is no other way.
    """
    everybody = dist.get_process_group_ranks(group)
    found = [
        dist.new_group(
            [everybody[rank] for rank in ranks],
            timeout=group._get_backend(torch.device("cpu")).options._timeout,  # torch's own would be half an hour's
            backend="gloo",
            use_local_synchronization=len(everybody) < dist.get_world_size(),
        )
        for ranks in copies
    ]
    (own,) = (it for it in found if isinstance(it, dist.ProcessGroup))
    return own


def _places(team: Team, optimizer: LionK) -> dict[Any, Place]:
    """Number the parameters in the order of the optimizer, which is the same on all processes."""
    names = {param: name for name, param in team.named_parameters()}
    flat = [(index, param) for index, group in enumerate(optimizer.param_groups) for param in group["params"]]
    return {param: Place(index, position, names[param]) for position, (index, param) in enumerate(flat)}


def _comparison(team: Team, copies: list[list[int]]) -> Callable[[int], None]:
    """Return what compares the weights of all processes after so many steps."""
    names, params = zip(*team.trained(), strict=True)
    return lambda steps: require_same_weights(names, params, team.group, copies, steps)
