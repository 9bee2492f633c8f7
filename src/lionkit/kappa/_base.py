"""The geometry of a Lion-K step: what every kappa must say about itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor


@dataclass(frozen=True)
class InducedProblem:
    r"""The problem that Lion-K solves with a given kappa and weight decay :math:`\lambda > 0`.

    It is always :math:`\min_x f(x) + \frac{1}{\lambda} \kappa^*(\lambda x)`; the fields say what that
    becomes for one kappa.

    Attributes:
        words: The problem in plain language.
        latex: The problem as LaTeX, without delimiters.
        constraint: The feasible set as LaTeX, or None where kappa* is finite everywhere.
    """

    words: str
    latex: str
    constraint: str | None


class Kappa(ABC):
    r"""A convex function :math:`\kappa: \mathbb{R}^d \to \mathbb{R}` through which a step sees its momentum.

    A step moves the weights by :math:`-\eta \nabla\kappa(c)`. With decoupled weight decay
    :math:`\lambda` it minimises :math:`f(x) + \frac{1}{\lambda}\kappa^*(\lambda x)`, where
    :math:`\kappa^*(y) = \sup_x \langle x, y \rangle - \kappa(x)` is the convex conjugate.

    Members are frozen dataclasses: two of them are equal when they are the same function, and their
    ``repr`` is what a ``state_dict`` keeps.

    All methods take real tensors of any shape that :meth:`check_shape` lets pass. An optimizer hands them one
    parameter at a time (complex ones through :func:`torch.view_as_real`), so a kappa of a whole model is the
    sum over its parameters.

    Where the subgradient is a set, a member's map takes its element of least l2 norm unless it says otherwise:
    0 at 0, equal shares among equals, the same on every device. A coordinate that is not finite makes the
    map not finite there, and in all that is measured together with it (its group, its matrix).

    References:
        Chen, Liu, Liang, Liu, "Lion Secretly Solves Constrained Optimization: As Lyapunov Predicts",
        arXiv 2310.05898, the problem (2) and the table of kappas.
    """

    kernel: ClassVar[str | None] = None
    """The name under which the native kernel knows the gradient map; None: it does not, and other backends step."""

    @property
    def kernel_parameter(self) -> float:
        """The parameter of the map in the native kernel, 0 where it has none."""
        return 0.0

    @abstractmethod
    def value(self, x: Tensor) -> Tensor:
        r"""Return :math:`\kappa(x)`, a 0-dimensional tensor in the unit of ``x``'s dual."""

    @abstractmethod
    def gradient(self, x: Tensor) -> Tensor:
        r"""Return :math:`\nabla\kappa(x)`, or the documented choice of a subgradient, in ``x``'s shape."""

    @abstractmethod
    def conjugate(self, y: Tensor) -> Tensor:
        r"""Return :math:`\kappa^*(y)`, a 0-dimensional tensor; infinite outside its domain."""

    @abstractmethod
    def gauge(self, y: Tensor) -> Tensor:
        r"""Return how far ``y`` reaches towards the boundary of the domain of :math:`\kappa^*`, 0-dimensional.

        It is the least :math:`t \ge 0` with :math:`y \in t \overline{\operatorname{dom}} \kappa^*`: below 1
        inside, 1 on the boundary, above 1 outside, and 0 everywhere where nothing is constrained. The weights
        are feasible when ``gauge(weight_decay * x)`` is at most 1, and ``y / gauge(y).clamp(min=1)`` always is.
        For a kappa that is a norm it is the dual norm.
        """

    @property
    @abstractmethod
    def problem(self) -> InducedProblem:
        """The optimisation problem that this kappa makes Lion-K solve."""

    def check_shape(self, shape: Sequence[int]) -> None:  # noqa: B027  (any shape is fine)
        """Raise where the kappa cannot take a parameter of this shape; most can take any.

        A member writes it again where shapes matter to it.

        Args:
            shape: The shape that the methods would be given; of a complex parameter, that of its real view.

        Raises:
            ValueError: with the shape, what it must be and what to use instead.
        """

    def foreach_gradient(self, xs: list[Tensor]) -> list[Tensor]:
        """Return the gradient map of every tensor of a list.

        A member writes it again to reach torch's horizontally fused kernels.
        """
        return [self.gradient(x) for x in xs]

    def batches(self, xs: Sequence[Tensor]) -> Iterable[list[int]] | None:
        """Return the positions in a list that `foreach_gradient` maps faster together on a CPU; None: it is all one.

        Args:
            xs: Plain tensors of the shapes that would be mapped; their values do not count.
        """
        return None
