"""Workers that are groups of processes: the replicas of a model that FSDP2 has cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule

from lionkit.distributed._replica_votes import ReplicaVotes, in_order
from lionkit.distributed._team import Team, require_gloo, sparse_gradients
from lionkit.distributed._workers import Workers
from lionkit.momentum._shards import is_spread


@final
class ReplicaTeam(Team):
    """All processes of a job, those in a replica group holding the same shard each.

    Args:
        model: Cut over one dim of a mesh.
        replicas: The other dim.

    Raises:
        ValueError: they cannot vote, or are not all processes of the job.
    """

    def __init__(self, model: nn.Module, replicas: DeviceMesh) -> None:
        assert dist.group.WORLD is not None
        self.model, self.group, self._replicas = model, dist.group.WORLD, replicas
        require_gloo(self.group)
        if not any(self.refusals()):
            self._require_all()

    def refusals(self) -> Iterator[str]:
        """See `Team`."""
        if not (isinstance(self._replicas, DeviceMesh) and self._replicas.ndim == 1):
            found = self._replicas
            words = f"a mesh of {found.ndim} dims" if isinstance(found, DeviceMesh) else f"a {type(found).__name__}"
            yield f'Invalid replicas: {words}, they must be a DeviceMesh of one, as mesh["replica"]'
        if not isinstance(self.model, FSDPModule):
            kind = type(self.model).__name__
            yield f"Invalid model: a {kind}, it must be cut by fully_shard where there are replicas"
            return
        if not any(self.trained()):
            yield "Invalid model: all of its parameters are frozen, some must be trained"
        for name, param in self.trained():
            yield from _not_a_shard(name, param)
        if len({param.device_mesh for _, param in self.trained() if is_spread(param)}) > 1:
            yield "Invalid model: it is cut over several meshes, it must be over one where there are replicas"
        yield from sparse_gradients(self.model)

    def _require_all(self) -> None:
        """Raise where others are in the job, which would not come to a refusal: each process sees it by itself."""
        replicas, (_, size), world = self._replicas.size(), self._shard(), dist.get_world_size(self.group)
        if replicas * size != world:
            words = f"{replicas} of {size} {'shard' if size == 1 else 'shards'} each"
            raise ValueError(f"Invalid replicas: {words}, of {world} processes, they must be all of these")

    def _shard(self) -> tuple[int, int]:
        """Return the number of this process's shards, and of how many."""
        mesh = next(param.device_mesh for _, param in self.trained() if is_spread(param))
        return mesh.get_local_rank(), mesh.size()

    def held(self) -> tuple[int, list[int]]:
        """See `Team`."""
        return self._shard()[0], dist.get_process_group_ranks(self._replicas.get_group())

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """See `Team`."""
        return self.model.named_parameters()

    def trained(self) -> Iterator[tuple[str, Tensor]]:
        """See `Team`."""
        return ((name, param) for name, param in self.named_parameters() if param.requires_grad)

    def attach(self, workers: Workers) -> None:
        """Vote on shards as FSDP2 has reduced their gradients."""
        votes = ReplicaVotes(workers, list(in_order(self.model)))
        for _, param in self.trained():
            param.register_post_accumulate_grad_hook(votes.note)
        # Before FSDP2's own, which would leave a forward pass half begun.
        self.model.register_forward_pre_hook(lambda *_: votes.before_forward(), prepend=True)


def _not_a_shard(name: str, param: Tensor) -> Iterator[str]:
    if not is_spread(param):
        yield f"Invalid {name}: not a DTensor, it must be cut by fully_shard where there are replicas"
    elif param.device_mesh.ndim > 1:
        yield (
            f"Invalid {name}: cut over a mesh of {param.device_mesh.ndim} dims, it must be over one: "
            'fully_shard(..., mesh=mesh["shard"]) and replicas=mesh["replica"]'
        )
    elif not param.placements[0].is_shard():
        yield f"Invalid {name}: its placement is {param.placements[0]}, it must be a Shard where there are replicas"
    elif getattr(param, "_post_accumulate_grad_hooks", None):
        yield f"Invalid {name}: its gradients have a hook already, they must have none: agree() once, on a new model"
