"""A logging epoch: loss and full gradient at frozen weights, and the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from lionkit import probes
from lionkit.probes import FullGradient
from lionkit_lab.recipe import Recipe
from lionkit_lab.state import TrainingState
from lionkit_lab.tasks import Batch, Task

_QUANTITIES = ("dim", "l1", "l2", "ratio", "ratio_over_sqrt_dim", "kkt_residual", "box_excess", "box_share")


@dataclass
class Measurement:
    """Measures a run's state; all processes together.

    Each process takes whole logging batches, every so many-th, and the gradients are added up; the first one tests.
    """

    recipe: Recipe
    task: Task
    state: TrainingState

    def take(self) -> dict[str, Any]:
        """Return the values of a "log" record; those of the test on the first process alone."""
        engine = self.state.engine
        with self.state.weights_to_evaluate(), self._whole_model() as model, engine.precision.measured():
            full = self._full_gradient(model)
            test = self._test(model) if engine.processes.is_first else {}
        total = {name: getattr(full.total, name) for name in _QUANTITIES}
        return {"train_loss": full.loss, **test, **total, "num_samples": full.num_samples}

    def _test(self, model: nn.Module) -> dict[str, float]:
        model.eval()
        test = self.task.evaluate(model) | self.task.measured_at(model, self.state.step)
        model.train()
        return test

    @contextmanager
    def _whole_model(self) -> Iterator[nn.Module]:
        """Give a model whose weights are whole: of a sharded run, a copy that lives as long as the logging epoch."""
        engine = self.state.engine
        if not engine.is_sharded:
            engine.share_buffers(self.state.model)
            yield self.state.model
            return
        device = engine.processes.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            model = engine.precision.weights(self.task.network()).train()
        engine.put_weights(model, dict(engine.whole_weights(self.state.model)))
        yield model

    def _full_gradient(self, model: nn.Module) -> FullGradient:
        processes = self.state.engine.processes
        if processes.count == 1:
            return self._over(model, self.task.logging_batches())
        own = self.task.logging_batches(processes.rank, processes.count)
        first = next(own, None)  # None where there are fewer batches than processes
        return self._together(model, None if first is None else self._over(model, chain([first], own)))

    def _over(self, model: nn.Module, batches: Iterator[Batch]) -> FullGradient:
        return probes.full_gradient(
            model,
            self.task.loss,
            batches,
            weight_decay=self.recipe.residual_weight_decay,
            batch_norm=self.recipe.logging.batch_norm,
        )

    def _together(self, model: nn.Module, own: FullGradient | None) -> FullGradient:
        """Return the full gradient over all processes' batches, from what this one found over its own."""
        params = {name: param for name, param in model.named_parameters() if param.requires_grad}
        share = self._shares(own)
        mean = {}
        for name, param in params.items():
            gradient = own.gradient[name] * share if own else torch.zeros_like(param)
            mean[name] = self.state.engine.processes.sum(gradient)
        loss = self._sum(own.loss * share if own else 0.0)

        def linear(_: nn.Module, __: Any) -> Tensor:
            # Its gradient is the mean: the probe then measures that one as any other.
            return torch.stack([(param * mean[name]).sum() for name, param in params.items()]).sum()

        decay = self.recipe.residual_weight_decay
        found = probes.full_gradient(model, linear, [None], weight_decay=decay, num_samples=lambda _: 1)
        num_samples = round(self._sum(own.num_samples if own else 0))
        return FullGradient(loss, num_samples, found.total, found.per_parameter, found.gradient)

    def _shares(self, own: FullGradient | None) -> float:
        count = own.num_samples if own else 0
        return count / self._sum(count)

    def _sum(self, value: float) -> float:
        processes = self.state.engine.processes
        return processes.sum(torch.tensor(value, dtype=torch.float64, device=processes.device)).item()
