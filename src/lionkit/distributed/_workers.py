"""The workers that vote, in the agreement seat of an optimizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.futures import Future

from lionkit.distributed._bucket import Bucket
from lionkit.distributed._exchange import Ballot, Exchange
from lionkit.distributed._mode import Mode
from lionkit.distributed._noise import Piece, shared_words, worker_words
from lionkit.distributed._traffic import Traffic
from lionkit.kernels import step_key
from lionkit.momentum import codec
from lionkit.momentum._shards import spread
from lionkit.optim import Agreement, LionK, directions_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parameter stands in its optimizer, and how its model calls it."""

    group: int
    position: int
    name: str


class Workers(Agreement):
    """What `lionkit.distributed.agree` returns: it votes on every bucket of gradients as it gets ready.

    Attributes:
        mode: The rule of agreement.
        rank: This worker's number among those that vote.
        steps: How many this process has taken since `agree`.
    """

    def __init__(
        self,
        optimizer: LionK,
        mode: Mode,
        exchange: Exchange,
        places: dict[Tensor, Place],
        rank: int,
        compare: Callable[[int], None],
    ) -> None:
        self.mode, self.rank, self.steps = mode, rank, 0
        self._optimizer, self._exchange, self._places, self._compare = optimizer, exchange, places, compare
        self._voted: dict[Tensor, _Seal | None] = {}  # and what was agreed, once it is there
        self._again: Tensor | None = None

    def __repr__(self) -> str:
        return repr(self.mode)

    @property
    def traffic(self) -> Traffic:
        """The bytes that this process has sent."""
        return self._exchange.traffic

    def name(self, param: Tensor) -> str:
        """Return how the model calls a parameter."""
        return self._places[param].name

    def claim(self, params: Sequence[Tensor]) -> None:
        """See `lionkit.optim.Agreement`."""
        for param in params:
            if param not in self._voted:
                raise RuntimeError(
                    f"no vote on {self.name(param)} since the last step: its gradient is this worker's own; "
                    "let the last backward() before step() be outside of no_sync(), or set_requires_gradient_sync(True)"
                )
            if not _is_sealed(param, self._voted[param]):
                raise RuntimeError(
                    f"the gradient of {self.name(param)} is no longer what was agreed: it was changed, or another "
                    "backward() has added to it; do not clip it, and step() after each vote"
                )

    def require_same_weights(self) -> None:
        """Compare the weights of all workers, as before a checkpoint is written; all of them must call it.

        Raises:
            DivergedWorkerError: one has other weights.
        """
        self._compare(self.steps)

    def end_step(self, check_every: int | None) -> None:
        """Take what was agreed as used, and compare the weights of all workers once in so many steps."""
        self.forget()
        self.steps += 1
        if check_every is not None and self.steps % check_every == 0:
            self.require_same_weights()

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
                "accumulate inside of no_sync() or set_requires_gradient_sync(False), or drop the vote by zero_grad(), "
                "which must set gradients to None"
            )
        self.forget()

    @torch.no_grad()
    def vote(self, bucket: Bucket) -> Future[Tensor]:
        """Return what the workers will have decided of a bucket; all of them call it with the same in one order."""
        directions = self._directions(bucket)
        groups, places = self._optimizer.param_groups, [self._places[param] for param in bucket.params]
        pieces: list[Piece] = [(groups[p.group], p.position, it) for p, it in zip(places, bucket.params, strict=True)]
        votes = self.mode.vote(directions, lambda: worker_words(pieces, self.rank))
        for grad, part in zip(bucket.grads, bucket.parts(votes), strict=True):
            if grad is None:  # a worker without a gradient abstains
                part.zero_()
        if self._again is None:
            self._again = next((param for param in bucket.params if param in self._voted), None)
        self._voted.update(dict.fromkeys(bucket.params))
        kappa = groups[places[0].group]["kappa"]
        ballot = Ballot(self.mode, kappa, votes, lambda begin, end: shared_words(pieces, begin, end))
        return self._exchange.decide(ballot)

    def tell_all(self, row: Tensor) -> Future[Tensor]:
        """Return what all workers have in a row of bytes, (workers, numel); called in one order with the votes."""
        return self._exchange.gather(row)

    def wait(self, undecided: Sequence[Future[Tensor]]) -> list[Tensor]:
        """Return what was decided, at the end of the backward pass.

        Raises:
            RuntimeError: a vote has failed, or is the second one on a parameter.
        """
        decided = [future.wait() for future in undecided]
        again, self._again = self._again, None
        if again is not None:
            raise RuntimeError(
                f"a second vote on {self.name(again)}: neither step() nor a forward pass came after the first, so that "
                "gradients were added to what was agreed; one backward() a step votes"
            )
        return decided

    def seal(self) -> None:
        """Take it that what was agreed is in the gradients now: a change of one from here on is refused."""
        self._voted = {param: _seal(param) for param in self._voted}

    def _directions(self, bucket: Bucket) -> Tensor:
        """Take the momenta on and return the directions: a group at once, and codes one by one, each with its noise."""
        directions = bucket.zeros()
        rows = bucket.parts(directions)
        for index, group in enumerate(self._optimizer.param_groups):
            mine = [i for i, it in enumerate(bucket.params) if self._places[it].group == index]
            mine = [i for i in mine if bucket.grads[i] is not None]
            coded = [i for i in mine if codec(group["momentum_dtype"], bucket.params[i]) is not None]
            for some in [[i for i in mine if i not in coded], *([i] for i in coded)]:
                if some:
                    self._direct(group, bucket, rows, some)
        return directions

    def _direct(self, group: dict[str, Any], bucket: Bucket, rows: list[Tensor], some: list[int]) -> None:
        params, grads = [bucket.params[i] for i in some], [it for i in some if (it := bucket.grads[i]) is not None]
        out = [spread(rows[i], bucket.params[i]) for i in some]
        seed = step_key(step_key(group["seed"], 1 + self.rank), self._places[params[0]].position)
        kappa, state = self.mode.geometry(group["kappa"]), self._optimizer.state
        directions_of({**group, "seed": seed}, params, grads, state, out, kappa=kappa)


_Seal = tuple[Tensor, int]
"""A gradient, and how often it had been written to as torch counts it; of a `DTensor` it misses some."""


def _seal(param: Tensor) -> _Seal | None:
    return None if param.grad is None else (param.grad, param.grad._version)


def _is_sealed(param: Tensor, seal: _Seal | None) -> bool:
    """Whether a gradient is what it was, and as it was."""
    if seal is None or param.grad is None:
        return seal is param.grad
    return param.grad is seal[0] and param.grad._version == seal[1]
