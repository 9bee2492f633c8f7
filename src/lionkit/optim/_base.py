"""What an optimizer is beside its step: groups that are checked, a state that travels, steps that can be watched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.optim.optimizer import Optimizer, ParamsT

from lionkit.optim._fit import check_group
from lionkit.optim._member_options import check_no_member_options
from lionkit.optim._numerics import NumericsReport, Watch, check
from lionkit.optim._observe import Observation
from lionkit.optim._options import check_options
from lionkit.optim._state_dict import complete_group, seats_described, states_converted
from lionkit.probes import StepStatistics


class OptimizerBase(Optimizer):
    """An optimizer of torch's contract whose groups have the options of `lionkit.LionK`, which takes the step."""

    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        check_options(defaults)
        super().__init__(params, defaults)
        self._observations: list[Observation] = []
        self._watch = Watch()

    @property
    def _step_supports_amp_scaling(self) -> bool:
        """Asked by GradScaler, as of torch's own fused optimizers: whether a step unscales and skips by itself."""
        return all(group["fused"] for group in self.param_groups)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, its options checked as the constructor checks its own."""
        if isinstance(param_group, dict):  # or torch says what is wrong
            check_no_member_options(type(self), self.defaults, param_group)
            check_options({**self.defaults, **param_group})
            # Groups draw from stretches of their own: the same noise would round the first of each group alike.
            param_group = {"noise_step": len(self.param_groups) << 48, **param_group}
        super().add_param_group(param_group)
        try:
            check_group(self.param_groups[-1])
        except (RuntimeError, ValueError):
            self.param_groups.pop()
            raise

    def observe(self, every: int = 1, callback: Callable[[StepStatistics], Any] | None = None) -> Observation:
        """Measure every k-th step: norms, the KKT residual, agreement, the box.

        The native kernel sums up as it steps; other backends read everything once more.

        A step that a `GradScaler` skips is not counted. Copies of the optimizer are not observed; a loaded state
        leaves the observation as it is.

        Args:
            every: k, at least 1.
            callback: Called with each `lionkit.probes.StepStatistics` at the end of its step.

        Returns:
            An observation; its ``latest`` has the statistics, its ``remove()`` ends it.

        Raises:
            ValueError: ``every`` is not an integer of at least 1.

        Example:
            >>> import torch, lionkit
            >>> weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
            >>> optimizer = lionkit.Lion([weight], lr=0.1, weight_decay=0.25)
            >>> observation = optimizer.observe()
            >>> weight.square().sum().backward()
            >>> optimizer.step()
            >>> observation.latest.total.grad_l1, observation.latest.total.num_agree
            (6.0, 2)
        """
        return Observation(self._observations, every, callback)

    @torch.no_grad()
    def check_numerics(self) -> NumericsReport:
        """Count the half-precision weights that a step of the present lr is too small to move.

        A weight moves by lr times its direction and decay; where that is less than half the distance to its
        neighbour in bfloat16 or float16, it is rounded back. The direction is that of the momentum, or of length 1
        where there is none. A warning says it once, after the warm-up, where it is over a tenth of the weights.

        Returns:
            The counts, of each group and in all; printed, a small table and what to do.

        Example:
            >>> import torch, lionkit
            >>> weight = torch.nn.Parameter(torch.tensor([1.0, 0.01], dtype=torch.bfloat16))
            >>> print(lionkit.Lion([weight], lr=1e-3).check_numerics().total)
            Standstill(num=1, numel=2)
        """
        return check(self.param_groups, self.state)

    def state_dict(self) -> dict[str, Any]:
        """Return the state in torch's form; what fills a seat is kept as its ``repr``, for `weights_only` loading."""
        with seats_described(self):
            return super().state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state of this optimizer, or of any other that keeps its momentum as ``exp_avg``.

        Options that the saved groups lack are this optimizer's defaults. How momentum and weights are kept is this
        optimizer's choice, not the state's: the momentum is converted to ``momentum_dtype``, and with None keeps the
        dtype it was saved in (codes become float32), where torch's own ``load_state_dict`` would cast it to the
        parameter's. Codes of the same kind are taken bit by bit. Other state, such as AdamW's second moment, is
        left out.

        Raises:
            ValueError: the groups do not match, were saved with another kappa, gradient or direction, or the state of a
                parameter has no momentum or one that does not fit; nothing has been changed then.
        """
        with states_converted(self):
            super().load_state_dict(state_dict)

    def __setstate__(self, state: dict[str, Any]) -> None:
        defaults = state.get("defaults") or self.defaults  # the first when unpickled, the second when loaded
        own_groups = self.__dict__.get("param_groups") or state["param_groups"]
        for own, loaded in zip(own_groups, state["param_groups"], strict=True):
            complete_group(loaded, own, defaults)
        super().__setstate__(state)
        self.__dict__.setdefault("_observations", [])  # a copy is not observed
        self.__dict__.setdefault("_watch", Watch())
