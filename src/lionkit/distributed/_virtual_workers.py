"""Many workers in one process: the algorithm at a size that the machine has not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from lionkit.distributed._decide import decide
from lionkit.distributed._mode import Mode
from lionkit.distributed._noise import Piece, shared_words, worker_words
from lionkit.distributed._refusals import optimizer_refusals
from lionkit.distributed._vote import Vote
from lionkit.momentum import DENSE, codec
from lionkit.optim import Agreement, LionK, directions_of


class VirtualWorkers(Agreement):
    r"""N workers of Distributed Lion in one process, all of a parameter's momenta one tensor.

    Use it to see what more workers do to a training that you cannot run on so many: it decides to the bit as processes
    do. You give it the gradients of all workers, as `torch.func.vmap` makes them; it leaves what was agreed in
    ``param.grad``, and ``optimizer.step()`` takes the step. It keeps N momenta and N gradients.

    Args:
        optimizer: As for `lionkit.distributed.agree`, on any parameters; its momenta must be dense.
        num_workers: N, at least 1 and at most 16383.
        mode: `Vote`, `Mean`, `SignOfMean` or `UnbiasedVote`.

    Raises:
        ValueError: the optimizer or the number does not serve.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.zeros(3))
        >>> optimizer = lionkit.Lion([weight], lr=0.1, weight_decay=0.5)
        >>> workers = lionkit.distributed.VirtualWorkers(optimizer, num_workers=2)
        >>> workers.vote({weight: torch.tensor([[1.0, 1.0, 0.0], [2.0, -1.0, -1.0]])})
        >>> optimizer.step()
        >>> weight.data
        tensor([-0.1000,  0.0000,  0.1000])
    """

    def __init__(self, optimizer: Optimizer, num_workers: int, mode: Mode = Vote()) -> None:  # noqa: B008
        for reason in optimizer_refusals(optimizer, mode):
            raise ValueError(reason)
        if not (isinstance(num_workers, int) and 1 <= num_workers < 2**14):
            raise ValueError(f"Invalid num_workers: {num_workers!r}, it must be an integer in [1, 16383]")
        assert isinstance(optimizer, LionK)
        self.mode, self.num_workers = mode, num_workers
        self._groups = optimizer.param_groups
        params = [param for group in self._groups for param in group["params"]]
        self._positions: dict[Tensor, int] = {param: position for position, param in enumerate(params)}
        self._refuse_codes()
        self._stand_ins: dict[Tensor, Tensor] = {}
        self._state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self._voted: set[Tensor] = set()
        for group in self._groups:
            group["agreement"] = self

    def __repr__(self) -> str:
        return repr(self.mode)

    def claim(self, params: Sequence[Tensor]) -> None:
        """See `lionkit.optim.Agreement`."""
        for param in params:
            if param not in self._voted:
                raise RuntimeError(
                    f"no vote on a parameter of shape {tuple(param.shape)} since the last step: vote() before step()"
                )
            self._voted.remove(param)

    @torch.no_grad()
    def vote(self, grads: Mapping[Tensor, Tensor], present: Mapping[Tensor, Tensor] | None = None) -> None:
        """Take all momenta a step on, and leave what the workers agree on in the gradients of the parameters.

        Args:
            grads: Of each parameter the gradients of all workers, ``(num_workers, *shape)``. Others have none.
            present: Of some parameters which workers have a gradient, bool, (num_workers,); the others abstain.

        Raises:
            ValueError: gradients have another shape.
        """
        for group in self._groups:
            params = [param for param in group["params"] if param in grads]
            for param in params:
                self._check_shape(param, grads[param])
            rows = [torch.zeros_like(grads[param]) for param in params]
            stand_ins = [self._stand_in(param) for param in params]
            kept = [self._state[stand_in].get(DENSE) for stand_in in stand_ins]
            absent = [~present[param] if present and param in present else None for param in params]
            before = [None if out is None or m is None else m[out] for m, out in zip(kept, absent, strict=True)]
            if params:
                kappa, stacked = self.mode.geometry(group["kappa"]), [grads[param] for param in params]
                directions_of(group, stand_ins, stacked, self._state, rows, kappa=kappa)
            for param, votes, out, momenta in zip(params, rows, absent, before, strict=True):
                if out is not None:
                    self._state[self._stand_ins[param]][DENSE][out] = 0.0 if momenta is None else momenta
                param.grad = self._decide(group, param, votes, out)
                self._voted.add(param)

    def _decide(self, group: Mapping[str, Any], param: Tensor, rows: Tensor, absent: Tensor | None) -> Tensor:
        pieces: list[Piece] = [(group, self._positions[param], param)]
        votes = torch.stack(
            [
                self.mode.vote(row, lambda rank=rank: worker_words(pieces, rank))
                for rank, row in enumerate(rows.flatten(1))
            ]
        )
        if absent is not None:
            votes[absent] = 0.0
        agreed = decide(self.mode, votes, kappa=group["kappa"], noise=lambda: shared_words(pieces, 0, param.numel()))
        return agreed.view(param.shape)

    def _stand_in(self, param: Tensor) -> Tensor:
        """Return a tensor of the shape of all workers' momenta, by which they are found; it takes no memory."""
        if param not in self._stand_ins:
            self._stand_ins[param] = param.detach().expand(self.num_workers, *param.shape)
        return self._stand_ins[param]

    def _check_shape(self, param: Tensor, grads: Tensor) -> None:
        expected = (self.num_workers, *param.shape)
        if grads.shape != expected:
            raise ValueError(f"Invalid grads: their shape is {tuple(grads.shape)}, it must be {expected}")

    def _refuse_codes(self) -> None:
        for group in self._groups:
            if any(codec(group["momentum_dtype"], param) is not None for param in group["params"]):
                name = group["momentum_dtype"]
                raise ValueError(f"Invalid momentum_dtype: {name!r}, it must be None, 'float32' or 'bfloat16' here")
