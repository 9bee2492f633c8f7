"""A decision of workers that are all in this process: what the processes compute together, in one place."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from lionkit.distributed._code import decode, encode
from lionkit.distributed._mode import Cast, Mode, ModeOfValues, Noise
from lionkit.kappa import L1, Kappa
from lionkit.kernels import pack_signs, tally_signs


def decide(mode: Mode, votes: Tensor, *, kappa: Kappa = L1(), noise: Noise | None = None) -> Tensor:  # noqa: B008
    """Return what workers agree on, by the very codes that processes would send.

    Args:
        mode: The rule.
        votes: One row a worker, (workers, numel), floating point: their votes, or their values where the mode sends
            values.
        kappa: The geometry, for a mode that sends values.
        noise: Words for a mode whose answer is drawn.

    Returns:
        The direction, (numel,), of the dtype of the votes.

    Example:
        >>> import torch
        >>> from lionkit.distributed import Vote, decide
        >>> decide(Vote(), torch.tensor([[0.0, 1.0], [-1.0, -1.0], [-1.0, 1.0]]))
        tensor([-1.,  1.])
    """
    workers, numel = votes.shape
    if isinstance(mode, ModeOfValues):
        cast, digits = Cast(workers), mode.decide_values(votes, kappa)
    else:
        cast, sums = tally(votes)
        digits = mode.decide(sums, cast, no_noise if noise is None else noise)
    table = torch.tensor(mode.table(cast), dtype=torch.float64).to(votes.device, votes.dtype)
    return decode(encode(digits, len(table)).unsqueeze(0), table, numel, numel)


def tally(votes: Tensor) -> tuple[Cast, Tensor]:
    """Return what all know of the votes, and their sums, int16, (numel,)."""
    workers, numel = votes.shape
    num_bytes = -(-numel // 8)
    filled = functional.pad(votes, (0, 8 * num_bytes - numel))  # with zeros, which are no votes
    planes, others = pack_signs(filled.flatten(), workers * num_bytes)
    signs, nonzeros = planes.view(2, workers, num_bytes)
    zeros, nans = others.tolist()
    cast = Cast(workers, zeros > filled.numel() - votes.numel(), nans > 0)
    return cast, tally_signs(signs, nonzeros if cast.zeros or cast.nans else None)[:numel]


def no_noise() -> Tensor:
    """Raise: nothing here should be drawn."""
    raise ValueError("Invalid noise: None, this mode draws its answer and needs some")
