"""kappa = the sum of the l2 norms of groups: normalised gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final, get_args

from torch import Tensor

from lionkit.kappa._base import InducedProblem
from lionkit.kappa._norm import Norm, largest, normalised, p_norm

Groups = Literal["rows", "columns", "tensor"]


@final
@dataclass(frozen=True)
class GroupL2(Norm):
    r"""The sum of the l2 norms of groups of weights, :math:`\kappa(x) = \sum_g \|x_g\|_2`.

    .. math:: \nabla\kappa(x)_g = x_g / \|x_g\|_2

    Every group moves by exactly ``lr`` in l2 norm, so ``lr`` has the unit of a group's norm: the settings of Lion
    times the square root of a group's size move a weight as far. A group of zeros does not move, and one with a
    coordinate that is not finite becomes nan.

    Args:
        groups: "rows": what shares the first index, such as the weights into one output; "columns": what
            shares the second; "tensor": the whole parameter.

    Raises:
        ValueError: ``groups`` is not one of its names.

    >>> import torch
    >>> from lionkit.kappa import GroupL2
    >>> GroupL2("rows").gradient(torch.tensor([[-3.0, 4.0], [0.0, 0.0]]))
    tensor([[-0.6000,  0.8000],
            [ 0.0000,  0.0000]])

    References:
        arXiv 2310.05898, the table of kappas; derived here anew, its row not compared with the text.
    """

    groups: Groups = "tensor"

    def __post_init__(self) -> None:
        if self.groups not in get_args(Groups):
            raise ValueError(f"Invalid groups: {self.groups!r}, it must be 'rows', 'columns' or 'tensor'")

    def check_shape(self, shape: Sequence[int]) -> None:
        """Raise where every group would be one weight for want of dims."""
        least = 1 if self.groups == "tensor" else 2
        if len(shape) < least:
            raise ValueError(
                f"GroupL2({self.groups!r}) cannot take a parameter of shape {tuple(shape)}: it must have at least "
                f"{least} dims; use {'GroupL2() or ' if len(shape) == 1 else ''}L1() for it"
            )

    def value(self, x: Tensor) -> Tensor:
        """Return the sum of the norms of the groups."""
        return p_norm(x, 2, self._dims(x)).sum()

    def gradient(self, x: Tensor) -> Tensor:
        """Divide every group by its norm."""
        return normalised(x, 2, self._dims(x))

    def gauge(self, y: Tensor) -> Tensor:
        """Return the largest norm of a group."""
        return largest(p_norm(y, 2, self._dims(y)))

    def _dims(self, x: Tensor) -> tuple[int, ...]:
        """Return the dims that a group extends over."""
        self.check_shape(x.shape)
        apart = {"rows": 0, "columns": 1, "tensor": None}[self.groups]
        return tuple(dim for dim in range(x.ndim) if dim != apart)

    @property
    def problem(self) -> InducedProblem:
        """Minimise f over a ball for every group."""
        group = {"rows": "row of a parameter", "columns": "column of a parameter", "tensor": "parameter"}[self.groups]
        return InducedProblem(
            words=f"minimise f over the weights in which no {group} has an l2 norm above 1 / weight_decay",
            latex=r"\min_x f(x) \quad \text{s.t.} \quad \max_g \|x_g\|_2 \le 1/\lambda",
            constraint=r"\max_g \|x_g\|_2 \le 1/\lambda",
        )
