"""Votes on shards, in the course of a backward pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torch.futures import Future

from lionkit.distributed._bucket import Bucket, View
from lionkit.distributed._workers import Workers
from lionkit.momentum._shards import own, spread

# As DDP's: the first one small, so that votes leave early.
_FIRST_BUCKET = 2**20
_BUCKET = 25 * 2**20  # bytes of this process's shards


def in_order(model: nn.Module) -> Iterator[Tensor]:
    """Return the trained parameters in the order in which FSDP2 reduces their modules: one that holds others last."""
    seen: set[Tensor] = set()
    for module in reversed([it for it in model.modules() if isinstance(it, FSDPModule)]):
        found = [it for it in module.parameters() if it.requires_grad and it not in seen]
        seen.update(found)
        yield from reversed(found)


def parted(params: Sequence[Tensor]) -> list[list[Tensor]]:
    """Part parameters into buckets, in their order, each of one dtype; the same on all that hold the same shards."""
    buckets: list[list[Tensor]] = []
    size, limit = 0, _FIRST_BUCKET
    for param in params:
        if not buckets or size >= limit or buckets[-1][0].dtype is not param.dtype:
            limit = _BUCKET if buckets else _FIRST_BUCKET
            buckets.append([])
            size = 0
        buckets[-1].append(param)
        size += own(param).nbytes
    return buckets


class ReplicaVotes:
    """Votes on a bucket when its gradients are there and the buckets before it have left, and on the rest at the end.

    Args:
        workers: They vote.
        params: The trained parameters, in the order in which their gradients come.
    """

    def __init__(self, workers: Workers, params: Sequence[Tensor]) -> None:
        self._workers, self._buckets = workers, parted(params)
        self._number = {param: number for number, bucket in enumerate(self._buckets) for param in bucket}
        self._begin()

    def _begin(self) -> None:
        self._came: set[Tensor] = set()
        self._voted: list[tuple[Bucket, Future[Tensor]]] = []

    def before_forward(self) -> None:
        """Refuse what would add gradients to what was agreed, and drop what is left of a pass that was broken off."""
        self._workers.refuse_to_add_up()
        if torch.is_grad_enabled():
            self._begin()

    def note(self, param: Tensor) -> None:
        """Take notice of a gradient: the hook of a parameter, which FSDP2 calls."""
        if not self._came:  # FSDP2's own callback, by which the last gradients come, stands in the queue by now
            torch.autograd.Variable._execution_engine.queue_callback(self._end)
        self._came.add(param)
        assert self._number[param] >= len(self._voted), "FSDP2 reduces a gradient once in a backward pass"
        while len(self._voted) < len(self._buckets) and self._came.issuperset(self._buckets[len(self._voted)]):
            self._vote()

    def _vote(self) -> None:
        bucket = _bucket_of(self._buckets[len(self._voted)])
        self._voted.append((bucket, self._workers.vote(bucket)))

    @torch.no_grad()
    def _end(self) -> None:
        """Vote on what is left, and put what was decided into the gradients."""
        while len(self._voted) < len(self._buckets):
            self._vote()
        voted = self._voted
        self._begin()
        used = self._used([bucket for bucket, _ in voted])
        decided = self._workers.wait([future for _, future in voted])
        anywhere = iter(used.wait().amax(0).tolist())
        for (bucket, _), row in zip(voted, decided, strict=True):
            for param, part in zip(bucket.params, bucket.parts(row), strict=True):
                param.grad = spread(part, param) if next(anywhere) else None
        self._workers.seal()

    def _used(self, buckets: Sequence[Bucket]) -> Future[Tensor]:
        """Tell which parameters have a gradient here: one that has none anywhere is left alone, decay and all."""
        present = [grad is not None for bucket in buckets for grad in bucket.grads]
        return self._workers.tell_all(torch.tensor(present, dtype=torch.uint8))


def _bucket_of(params: Sequence[Tensor]) -> Bucket:
    views: list[View] = []
    numel = 0
    for shard in map(own, params):
        views.append((shard.shape, shard.stride(), numel))
        numel += shard.numel()
    return Bucket(params, [param.grad for param in params], views, numel, params[0].dtype)
