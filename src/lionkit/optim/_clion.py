"""CLion: Lion's sign behind a gate."""

from __future__ import annotations

from typing import Literal, Unpack, final, get_args

from torch import Tensor
from torch.optim.optimizer import ParamsT

from lionkit.kappa import L1, Cautious
from lionkit.optim._gate import Gate
from lionkit.optim._lionk import LionK
from lionkit.optim._options import CommonOptions

Where = Literal["tensor", "model", "coordinate"]


@final
class CLion(LionK):
    r"""CLion: the sign where c is large enough, c itself elsewhere.

    .. math::
        c_k &= \beta_1 m_{k-1} + (1 - \beta_1) g_k \\
        \theta_{k+1} &= \theta_k - \eta\,(h(c_k) + \lambda \theta_k), \qquad h(c) \in
        \{\operatorname{sign}(c), c\} \\
        m_k &= \beta_2 m_{k-1} + (1 - \beta_2) g_k

    Where the gate of h is open, ``lr`` has the unit of the weights; where it is shut, of weight over gradient, and
    a step is lr times a gradient: next to nothing at Lion's settings.

    - ``gate="tensor"``, the paper's Algorithm 2: open where :math:`\min_{j: c_j \ne 0} |c_j| \ge \nu` in a parameter.
      Of d coordinates spread like a Gaussian of size s the gate is open with probability about
      :math:`e^{-0.8 d \nu / s}`: of a matrix practically never. Counted along 200 steps of Lion (lr 2e-3, weight decay
      0.1, three seeds) on a GPT-2 with matrices of 4,096 to 16,384 coordinates, the recipe moby-dick: at
      :math:`\nu` from the default :math:`10^{-3}` to :math:`10^{-6}` in none of 6,000 cases, at :math:`10^{-7}` in 618;
      of vectors at :math:`10^{-3}, 10^{-4}, 10^{-5}, 10^{-6}` in 0, 66, 2,208 and 7,025 of 10,800. What follows is
      gradient descent with learning rate ``lr``: at the default a train loss of 3.90 where Lion has 2.49, and 2.55
      at an lr of 1 with the same decay a step.
    - ``gate="model"``: one gate for all parameters, shut more often still: there always, down to :math:`10^{-8}`, as
      the gradient of an attention's key biases is the noise of rounding.
    - ``gate="coordinate"``: :math:`h(c)_j = \operatorname{sign}(c_j)` where :math:`|c_j| \ge \nu`. It alone is the map
      of a kappa, `lionkit.kappa.Cautious`, and keeps Lion's box; :math:`\nu \le 1`. There 2.65 at the default.

    Do not confuse it with `CautiousLion`, a mask.

    Args:
        params: Parameters, named parameters or groups of them.
        lr: Learning rate, at least 0.
        betas: Weight of the old momentum in the direction c, and in the new momentum; each in [0, 1).
        weight_decay: Decoupled decay, at least 0.
        nu: Where the gate opens, above 0, in the unit of the gradient; at most 1 with ``gate="coordinate"``.
        gate: What has a gate of its own.
        **options: Those of `lionkit.LionK`: momentum_init, momentum_dtype, weight_decay_mode, weight_rounding, seed,
            maximize, foreach, capturable, differentiable, fused.

    Raises:
        ValueError: an option is out of its range, or not one for these parameters.
        RuntimeError: options exclude each other, or ask for a backend that is missing.

    Example:
        >>> import torch, lionkit
        >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        >>> optimizer = lionkit.CLion([weight], lr=0.01, weight_decay=0.1, nu=0.05, gate="coordinate")
        >>> optimizer.defaults["kappa"]
        Cautious(nu=0.05)

    References:
        Huang, Zhang, Chen, "CLion: Efficient Cautious Lion Optimizer with Enhanced Generalization",
        arXiv 2604.14587, Algorithm 2 and, for the coordinate's gate, Figure 1 (d), read in a secondary source. The
        paper's nu is not confirmed: the default is that of a re-implementation.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-4,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        nu: float = 1e-3,
        gate: Where = "tensor",
        **options: Unpack[CommonOptions],
    ) -> None:
        if gate not in get_args(Where):
            raise ValueError(f"Invalid gate: {gate!r}, it must be 'tensor', 'model' or 'coordinate'")
        kappa = Cautious(nu) if gate == "coordinate" else L1()
        direction = None if gate == "coordinate" else Gate(nu, gate)
        super().__init__(params, lr, betas, weight_decay, kappa=kappa, direction=direction, **options)
