"""The memory of a training step, counted on tensors that have a shape and no content."""

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode  # the only way to run a network without its memory

from lionkit_lab import optimizers
from lionkit_lab.dry_run._height import height
from lionkit_lab.dry_run._subject import Subject
from lionkit_lab.recipe import MLorcLion, OptimizerSettings, Recipe
from lionkit_lab.tasks import LOSSES

_HALF = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Memory:
    """Bytes of one process that holds the whole model.

    Attributes:
        weights: Weights and buffers.
        gradients: Gradients, one for each weight.
        optimizer: What the optimizer keeps between steps.
        activations: What forward and backward pass of a micro-batch take beyond that, at their height. Counted on
            the CPU's own operators; kernels of a GPU may keep less.
        logging: What a logging epoch takes beyond all that a step does: its own batch, and copies of the gradient.
        batch: Samples of the micro-batch.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    logging: int
    batch: int

    @property
    def total(self) -> int:
        """All of them: the most of a training step and of a logging epoch."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.logging


def memory(recipe: Recipe, subject: Subject, network: nn.Module, processes: int) -> Memory:
    """Count the memory of a recipe.

    Args:
        recipe: The recipe.
        subject: What it trains.
        network: Its network, on the meta device.
        processes: Among how many a step's batch is divided, at least 1.
    """
    width = 2 if recipe.engine.precision == "float64" else 1  # of float32, which it is built in
    weights = sum(tensor.nbytes for tensor in (*network.parameters(), *network.buffers())) * width
    gradients = sum(param.nbytes for param in network.parameters()) * width
    parts = recipe.engine.accumulate * processes
    batch, logged = -(-recipe.training.batch_size // parts), recipe.logging.batch_size
    kept = passes(recipe, subject, batch, min(recipe.engine.accumulate, 2)) * width - gradients
    copies = _gradients_in_logging(processes) * gradients + (weights if recipe.engine.sharding != "none" else 0)
    logging = passes(recipe, subject, logged) * width - gradients
    beyond = max(logging + copies - kept, 0)
    return Memory(weights, gradients, optimizer_state(recipe.optimizer, network) * width, kept, beyond, batch)


def _gradients_in_logging(processes: int) -> int:
    """Return how many gradients a logging epoch holds beside that of the last step."""
    # The sum over the batches and the gradients of two, the last one and the one before; or, of several processes,
    # when the passes are done: the mean, its sum and its gradient, and the process's own.
    return 3 if processes == 1 else 4


def optimizer_state(settings: OptimizerSettings, network: nn.Module) -> int:
    """Return the bytes that an optimizer keeps after a step, for a network on the meta device."""
    if isinstance(settings, MLorcLion):
        # It draws random numbers, which the meta device has none of: one weight of each shape does, on the CPU.
        shapes = Counter(param.shape for param in network.parameters())
        ones = {shape: nn.ParameterList([torch.ones(shape, device="cpu")]) for shape in shapes}
        return sum(count * _state_bytes(settings, ones[shape]) for shape, count in shapes.items())
    return _state_bytes(settings, network)


def _state_bytes(settings: OptimizerSettings, network: nn.Module) -> int:
    for param in network.parameters():
        param.grad = torch.ones_like(param)
    optimizer = optimizers.optimizer(settings, network)
    optimizer.step(lambda: 0.0)
    network.zero_grad()
    kept = (value for state in optimizer.state.values() for value in state.values())
    return sum(value.nbytes for value in kept if isinstance(value, Tensor))


def passes(recipe: Recipe, subject: Subject, batch: int, parts: int = 1) -> int:
    """Return the most bytes that forward and backward passes have at once, gradients with them and weights apart.

    Args:
        recipe: The recipe.
        subject: What it trains.
        batch: Samples of a pass, at least 1.
        parts: Passes whose gradients add up, at least 1; of more than two the height is that of two.
    """
    with torch.device("meta"):
        network = subject.network().train()
    half = _HALF.get(recipe.engine.precision)
    with FakeTensorMode():
        _fake(network)
        samples = subject.batch(batch)

        def compute() -> None:
            for _ in range(parts):
                with torch.autocast("cpu", dtype=half, enabled=half is not None):
                    loss = LOSSES[recipe.task.name](network, samples)["loss"]
                loss.backward()

        return height(compute, [*network.parameters(), *network.buffers(), *samples])


def _fake(network: nn.Module) -> None:
    """Give a network on the meta device tensors that act as if they were on the CPU; tied ones stay tied."""
    made: dict[int, Tensor] = {}
    for module in network.modules():
        for tensors in (module._parameters, module._buffers):
            for name, tensor in tensors.items():
                if tensor is not None:
                    tensors[name] = made.setdefault(id(tensor), _empty(tensor))  # pyright: ignore


def _empty(tensor: Tensor) -> Tensor:
    empty = torch.empty(tensor.shape, dtype=tensor.dtype)
    return nn.Parameter(empty, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty
