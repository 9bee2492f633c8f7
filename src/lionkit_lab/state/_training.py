"""The state of a training run, and its step."""

import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.nn.utils import clip_grad_norm_, get_total_norm

from lionkit import LionK, probes
from lionkit_lab import optimizers
from lionkit_lab.engine import Engine
from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import Cosine, Recipe
from lionkit_lab.tasks import Batch, Task


class NonFiniteLossError(Exception):
    """A minibatch's loss that is not finite; nothing has been stepped."""


class TrainingState:
    """Model, optimizer, schedule, random generators and step: what a checkpoint must hold.

    Args:
        recipe: The run's.
        task: The run's.
        engine: What it computes on; by default what the recipe says, on this process.

    Raises:
        UsageError: A setting does not fit the model, the data or the processes.
    """

    def __init__(self, recipe: Recipe, task: Task, engine: Engine | None = None) -> None:
        self.total = total_steps(recipe, task)
        self.step = 0
        self.rollbacks = 0
        """How often the run was taken back to a checkpoint."""
        self.optimizer_seconds = 0.0
        """Time spent in the optimizer's steps since the start of this process, gradients apart."""
        self.judge: Callable[[dict[str, float]], None] | None = None
        """Hears ``loss`` (nats) of each step before it is taken; what it raises leaves the weights as they are."""
        self.judges_gradients = False
        """Whether it hears ``grad_l2``, the gradient's l2 norm before clipping, too: a pass over the gradient."""
        self.engine = engine or Engine(recipe.engine)
        torch.manual_seed(recipe.seed)
        self.model = self.engine.place(task.model().train())
        self.optimizer = optimizers.optimizer(recipe.optimizer, self.model, recipe.seed)
        self._task, self._recipe = task, recipe
        self.schedule = optimizers.schedule(recipe.schedule, self.optimizer, self.total, task.steps_per_epoch)
        self._joined = self.engine.joined(self.model, self.optimizer)
        self.engine.part_random_numbers(recipe.seed)

    @property
    def lr(self) -> float:
        """The learning rate of the next step, of the first group of parameters."""
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def num_parameters(self) -> int:
        """Weights that are trained."""
        return sum(param.numel() for param in self.model.parameters() if param.requires_grad)

    @property
    def state_bytes(self) -> int:
        """Bytes of the tensors that the optimizer keeps between steps, on all processes of a sharded run together."""
        kept = (value for state in self.optimizer.state.values() for value in state.values())
        return sum(value.nbytes for value in kept if isinstance(value, Tensor))

    def update(self) -> float:
        """Take one step down the loss of the next batch.

        Returns:
            The loss before the step, in nats.

        Raises:
            NonFiniteLossError: It is not finite.
        """
        gradient_seconds, left = 0.0, self._num_evaluations()

        def closure() -> float:
            nonlocal gradient_seconds, left
            start, left = time.perf_counter(), left - 1
            loss = self._backward(is_last=not left)
            gradient_seconds += time.perf_counter() - start
            return loss

        start = time.perf_counter()
        loss = self.engine.precision.step(self.optimizer, closure)
        self.optimizer_seconds += time.perf_counter() - start - gradient_seconds
        self.skip()
        return loss

    def skip(self) -> None:
        """Go on to the next batch and the next learning rate."""
        if hasattr(self.optimizer, "_opt_called"):  # torch's own mark that a step has been taken
            self.schedule.step()
        else:
            with warnings.catch_warnings():  # at every step this would show once-only warnings again each time
                # Torch takes first steps that were dropped for a loop in the wrong order.
                warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step")
                self.schedule.step()
        self.step += 1

    def observed_update(self) -> tuple[float, probes.StepStatistics | None]:
        """Take one step as ``update()`` does, and return what lionkit's optimizers say of it too."""
        if not isinstance(self.optimizer, LionK):
            return self.update(), None
        observation = self.optimizer.observe(every=1)
        try:
            loss = self.update()
        finally:
            observation.remove()
        return loss, observation.latest

    def _num_evaluations(self) -> int:
        """Return how often the optimizer asks for the batch's gradient; what it steps down comes last."""
        return 2 if self._recipe.takes_two_gradients and self.optimizer.state else 1

    def _backward(self, is_last: bool) -> float:
        self.optimizer.zero_grad()
        loss = self.engine.backward(self._joined, self._parts())
        self.engine.precision.unscale(self.optimizer)
        norm = self._norm()
        values = {"loss": loss} | ({} if norm is None else {"grad_l2": norm})
        if self.judge and (is_last or not all(map(math.isfinite, values.values()))):
            self.judge(values)
        if not math.isfinite(loss):
            raise NonFiniteLossError(f"loss is {loss} at step {self.step + 1}")
        if self._recipe.training.clip is not None:
            clip_grad_norm_(self.model.parameters(), self._recipe.training.clip)
        return loss

    def _norm(self) -> float | None:
        """Return the gradient's l2 norm, where it is asked for and no overflow that only halves a scale."""
        precision = self.engine.precision
        if not (self.judge and (self.judges_gradients or precision.scale_is_spent)):
            return None
        total = get_total_norm([param.grad for param in self.model.parameters() if param.grad is not None])
        norm = (total.full_tensor() if isinstance(total, DTensor) else total).item()
        return norm if math.isfinite(norm) or not precision.drops_steps else None

    def _parts(self) -> Iterator[tuple[Callable[[], Tensor], float]]:
        """Yield what gives the mean loss of each of this process's parts of the batch, and its share of the rows."""
        parts, rows = self.engine.num_parts, self._num_rows()
        for part in self.engine.own_parts:
            batch = self._task.batch(self.step, part, parts)
            share = len(batch[0]) / rows
            if not share:  # A process must go through the model with the others: with rows that do not count.
                batch = self._task.batch(self.step, 0, parts)
            yield partial(self._loss, batch), share

    def _loss(self, batch: Batch) -> Tensor:
        with self.engine.precision.autocast():
            return self._task.loss(self._joined, batch)

    def _num_rows(self) -> int:
        size = self._recipe.training.batch_size
        return min(size, self._task.num_samples - self.step % self._task.steps_per_epoch * size)

    def cut_lr(self, factor: float) -> None:
        """Multiply this and every later learning rate by ``factor``, above 0."""
        optimizers.scale_lr(self.schedule, factor)

    @contextmanager
    def weights_to_evaluate(self) -> Iterator[None]:
        """Put in place the weights that are the optimizer's answer, where it trains at others."""
        member = self.optimizer if isinstance(self.optimizer, LionK) else None
        if member:
            member.eval()
        try:
            yield
        finally:
            if member:
                member.train()


def total_steps(recipe: Recipe, task: Task) -> int:
    """Return the steps of the whole run.

    Raises:
        UsageError: The warm-up leaves no step to the annealing.
    """
    training = recipe.training
    total = training.steps or (training.epochs or 0) * task.steps_per_epoch
    check_warmup(recipe, total, task.steps_per_epoch)
    return total


def check_warmup(recipe: Recipe, total: int, steps_per_epoch: int) -> None:
    """Refuse a warm-up that is as long as the run.

    Args:
        recipe: The run's.
        total: Steps of the whole run.
        steps_per_epoch: Batches in a training epoch, at least 1.

    Raises:
        UsageError: It leaves no step to the annealing.
    """
    schedule = recipe.schedule
    if isinstance(schedule, Cosine) and schedule.warmup(steps_per_epoch) >= total:
        unit = "epochs" if schedule.warmup_epochs else "steps"
        found = f"schedule.warmup_{unit}: {schedule.warmup_epochs or schedule.warmup_steps} is not allowed"
        raise UsageError(f"{found}: must be below the run's {total} steps")
