"""Workers that hold the whole model each: the buckets of a DistributedDataParallel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.futures import Future
from torch.nn.parallel import DistributedDataParallel

from lionkit.distributed._bucket import Bucket
from lionkit.distributed._team import Team, require_gloo, sparse_gradients
from lionkit.distributed._workers import Workers
from lionkit.momentum._shards import any_spread


@final
class DDPTeam(Team):
    """The processes of a `DistributedDataParallel`.

    Raises:
        ValueError: they cannot vote.
    """

    def __init__(self, model: nn.Module) -> None:
        group = model.process_group if isinstance(model, DistributedDataParallel) else dist.group.WORLD
        assert group is not None
        require_gloo(group)
        self.model, self.group = model, group

    def refusals(self) -> Iterator[str]:
        """See `Team`."""
        model = self.model
        if not isinstance(model, DistributedDataParallel):
            if any_spread(list(model.parameters())):
                yield 'Invalid replicas: None, of a model that is cut they must be a DeviceMesh, as mesh["replica"]'
            yield f"Invalid model: a {type(model).__name__}, it must be wrapped in DistributedDataParallel"
            return
        if any(isinstance(module, DistributedDataParallel) for module in model.module.modules()):
            yield "Invalid model: a DistributedDataParallel in another, it must be wrapped once"
        if model._comm_hooks:
            yield "Invalid model: it has a communication hook, it must have none: agree() once, on a new wrapper"
        if model.mixed_precision is not None:
            yield "Invalid model: its buckets mix precisions (mixed_precision), they must have their parameters' dtype"
        yield from sparse_gradients(model.module)

    def held(self) -> tuple[int, list[int]]:
        """Return that everybody holds the only shard."""
        return 0, list(range(dist.get_world_size(self.group)))

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """See `Team`."""
        return self._wrapped.module.named_parameters()

    def trained(self) -> Iterator[tuple[str, Tensor]]:
        """Return the parameters that DDP has gradients of."""
        ignored = self._wrapped.parameters_to_ignore
        return ((name, it) for name, it in self.named_parameters() if it.requires_grad and name not in ignored)

    def attach(self, workers: Workers) -> None:
        """Vote as DDP's communication hook."""
        model, votes = self._wrapped, _Votes(workers)
        # A lambda: torch reads a function's annotations, and takes them for wrong where they are strings.
        model.register_comm_hook(votes, lambda state, bucket: state.vote(bucket))
        model.register_forward_pre_hook(lambda *_: _before_forward(model, workers))

    @property
    def _wrapped(self) -> DistributedDataParallel:
        assert isinstance(self.model, DistributedDataParallel)
        return self.model


def _before_forward(model: DistributedDataParallel, workers: Workers) -> None:
    if model._join_config.enable:
        raise RuntimeError("DDP's join() with an agreement: give all workers the same number of batches")
    workers.refuse_to_add_up()


class _Votes:
    """Votes on buckets as DDP has them ready, and lets the backward pass wait for what is decided."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._undecided: list[Future[Tensor]] = []
        self._backward = -1

    def vote(self, bucket: dist.GradBucket) -> Future[Tensor]:
        future = self._workers.vote(_bucket_of(bucket))
        backward = torch._C._current_graph_task_id()
        if backward != self._backward:
            self._backward, self._undecided = backward, []
            torch.autograd.Variable._execution_engine.queue_callback(self._wait)
        self._undecided.append(future)
        return future

    def _wait(self) -> None:
        """Raise a failed vote as what it is, at the end of the backward pass; DDP would wrap it beyond recognition."""
        undecided, self._undecided = self._undecided, []
        # Behind DDP's own callback, which stands in the queue by now: it puts the decisions into the gradients.
        torch.autograd.Variable._execution_engine.queue_callback(self._workers.seal)
        self._workers.wait(undecided)


def _bucket_of(bucket: dist.GradBucket) -> Bucket:
    """Describe one of DDP's; a parameter that this worker has not used has a view of the buffer, and no gradient."""
    params, grads, row = bucket.parameters(), bucket.gradients(), bucket.buffer()
    start = int(row.storage_offset())
    views = [(grad.shape, grad.stride(), int(grad.storage_offset()) - start) for grad in grads]
    present = [None if param.grad is None else grad for param, grad in zip(params, grads, strict=True)]
    return Bucket(params, present, views, row.numel(), row.dtype)
