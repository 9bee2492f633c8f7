"""The workers of a DistributedDataParallel, in the agreement seat of an optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.futures import Future

from lionkit.distributed._exchange import Ballot, Exchange
from lionkit.distributed._mode import Mode
from lionkit.distributed._noise import shared_words, worker_words
from lionkit.distributed._traffic import Traffic
from lionkit.kernels import step_key
from lionkit.momentum import codec
from lionkit.optim import Agreement, LionK, directions_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parameter stands in its optimizer, and how its model calls it."""

    group: int
    position: int
    name: str


class Workers(Agreement):
    """What `lionkit.distributed.agree` returns: it votes on every bucket of gradients as DDP has it ready.

    Attributes:
        mode: The rule of agreement.
    """

    def __init__(
        self, optimizer: LionK, mode: Mode, exchange: Exchange, places: dict[Tensor, Place], rank: int
    ) -> None:
        self.mode = mode
        self._optimizer, self._exchange, self._places, self._rank = optimizer, exchange, places, rank
        self._voted: set[Tensor] = set()
        self._undecided: list[Future[Tensor]] = []
        self._backward = -1

    def __repr__(self) -> str:
        return repr(self.mode)

    @property
    def traffic(self) -> Traffic:
        """The bytes that this process has sent."""
        return self._exchange.traffic

    def claim(self, params: Sequence[Tensor]) -> None:
        """See `lionkit.optim.Agreement`."""
        for param in params:
            if param not in self._voted:
                raise RuntimeError(
                    f"no vote on {self._places[param].name} since the last step: its gradient is this worker's own; "
                    "let the last backward() before step() be outside of no_sync()"
                )

    def forget(self) -> None:
        """Take what was agreed as used, or as dropped."""
        self._voted.clear()

    def refuse_to_add_up(self) -> None:
        """Raise where a backward pass would add gradients to what was agreed.

        Raises:
            RuntimeError: neither ``step()`` nor ``zero_grad()`` came after the last vote.
        """
        if not torch.is_grad_enabled():  # an evaluation adds nothing
            return
        if any(param.grad is not None for param in self._voted):
            raise RuntimeError(
                "a forward pass after a vote and before step(): its gradients would be added to what was agreed; "
                "accumulate inside of no_sync(), or drop the vote by zero_grad()"
            )
        self.forget()

    @torch.no_grad()
    def vote(self, bucket: dist.GradBucket) -> Future[Tensor]:
        """Let the workers decide a bucket: the hook that DDP calls, from the backward pass."""
        params, grads, buffer = bucket.parameters(), bucket.gradients(), bucket.buffer()
        directions = torch.zeros_like(buffer)
        # A worker that has no gradient of a parameter abstains, and its momentum stands.
        present = [i for i, param in enumerate(params) if param.grad is not None]
        rows = _rows(directions, grads, buffer)
        self._direct([params[i] for i in present], [grads[i] for i in present], [rows[i] for i in present])
        groups, places = self._optimizer.param_groups, [self._places[param] for param in params]
        pieces = [(groups[p.group], p.position, param.numel()) for p, param in zip(places, params, strict=True)]
        votes = self.mode.vote(directions, lambda: worker_words(pieces, self._rank))
        for i, row in enumerate(_rows(votes, grads, buffer)):
            if i not in present:
                row.zero_()
        self._voted.update(params)
        kappa = groups[places[0].group]["kappa"]
        ballot = Ballot(self.mode, kappa, votes, lambda begin, end: shared_words(pieces, begin, end))
        return self._expected(self._exchange.decide(ballot))

    def _expected(self, future: Future[Tensor]) -> Future[Tensor]:
        """Let the present backward pass wait for a decision, too."""
        backward = torch._C._current_graph_task_id()  # -1 in the shadow of a pass, of DDP's `join`
        if backward not in (-1, self._backward):
            self._backward, self._undecided = backward, []
            torch.autograd.Variable._execution_engine.queue_callback(self._wait)
        self._undecided.append(future)
        return future

    def _wait(self) -> None:
        """Raise a failed vote as what it is, at the end of the backward pass; DDP would wrap it beyond recognition."""
        undecided, self._undecided = self._undecided, []
        for future in undecided:
            future.wait()

    def _direct(self, params: list[Tensor], grads: list[Tensor], rows: list[Tensor]) -> None:
        """Take the momenta on and write the directions: a group at once, and codes one by one, each with its noise."""
        for index, group in enumerate(self._optimizer.param_groups):
            mine = [i for i, param in enumerate(params) if self._places[param].group == index]
            coded = [i for i in mine if codec(group["momentum_dtype"], params[i]) is not None]
            for some in [[i for i in mine if i not in coded], *([i] for i in coded)]:
                if some:
                    seed = step_key(step_key(group["seed"], 1 + self._rank), self._places[params[some[0]]].position)
                    self._direct_group({**group, "seed": seed}, *([x[i] for i in some] for x in (params, grads, rows)))

    def _direct_group(
        self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor], rows: list[Tensor]
    ) -> None:
        kappa = self.mode.geometry(group["kappa"])
        directions_of(group, params, grads, self._optimizer.state, rows, kappa=kappa)


def _rows(flat: Tensor, grads: Sequence[Tensor], buffer: Tensor) -> list[Tensor]:
    """View a tensor like a bucket's buffer as the gradients are views of that."""
    start = buffer.storage_offset()
    return [flat.as_strided(grad.shape, grad.stride(), grad.storage_offset() - start) for grad in grads]
