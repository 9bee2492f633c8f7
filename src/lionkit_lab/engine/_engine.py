"""How one step's gradient comes about, on however many processes."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from lionkit.distributed import Workers
from lionkit_lab.engine._agreement import agree
from lionkit_lab.engine._fed import Fed
from lionkit_lab.engine._precision import Precision
from lionkit_lab.engine._processes import Processes
from lionkit_lab.engine._shards import put, shard, whole_tensor
from lionkit_lab.recipe import EngineSettings
from lionkit_lab.tasks import Task

_STRIDE = 0x9E3779B97F4A7C15  # The golden ratio times 2^64: seeds of ranks lie far apart.


class Engine:
    """The recipe's engine on this process.

    Args:
        settings: The recipe's.
        processes: Those of the run.

    Raises:
        UsageError: "fsdp2" without `torchrun`.
    """

    def __init__(self, settings: EngineSettings | None = None, processes: Processes | None = None) -> None:
        self.settings = settings or EngineSettings()
        self.processes = processes or Processes()
        self.precision = Precision(self.settings.precision, self.processes.device)
        self._agreed: Workers | None = None
        self.num_parts = self.processes.count * self.settings.accumulate
        """Into how many parts the batch of a step is cut."""

    @property
    def own_parts(self) -> range:
        """Those of this process."""
        return range(self.num_parts)[self.processes.rank * self.settings.accumulate :][: self.settings.accumulate]

    @property
    def is_sharded(self) -> bool:
        """Whether this process has no weight as a whole."""
        return self.settings.sharding == "fsdp2"

    @property
    def workers(self) -> int | None:
        """How many processes have an optimizer's state of their own and agree; None where all have the same."""
        return None if self.settings.agreement == "none" else self.processes.count

    def place(self, model: nn.Module) -> nn.Module:
        """Put a new model where it is trained, its weights as they are kept, and in shards where the recipe says so."""
        model = self.precision.weights(model)
        if self.is_sharded:
            shard(model, self.processes)
        return model

    def feed(self, task: Task) -> None:
        """Let the task's batches come as the model takes them."""
        if not self.precision.keeps_batches:
            task.train, task.test = (Fed(samples, self.precision) for samples in (task.train, task.test))

    def joined(self, model: nn.Module, optimizer: Optimizer) -> nn.Module:
        """Return what to call for a loss whose gradient is the mean over the processes, or what they agree on.

        Raises:
            UsageError: The recipe has them agree, and they cannot.
        """
        if self.processes.count == 1 or self.is_sharded:
            return model
        # Of a weight with a side of length 1; it costs a copy of a few numbers.
        warnings.filterwarnings("ignore", message="Grad strides do not match bucket view strides")
        joined = DistributedDataParallel(model)  # of a GPU, the one that its weights are on
        if self.settings.agreement != "none":
            self._agreed = agree(self.settings.agreement, joined, optimizer)
        return joined

    def require_same_weights(self) -> None:
        """Compare the weights of processes that agree, which nothing else keeps together; all of them must call it.

        Raises:
            DivergedWorkerError: One has other weights.
        """
        if self._agreed:
            self._agreed.require_same_weights()

    def part_random_numbers(self, seed: int) -> None:
        """Let dropout differ between processes, that have made the same model from the same seed."""
        if self.processes.rank:
            torch.manual_seed((seed + self.processes.rank * _STRIDE) % 2**63)

    def backward(self, model: nn.Module, parts: Iterable[tuple[Callable[[], Tensor], float]]) -> float:
        """Go forward and backward over this process's parts.

        Args:
            model: What ``joined`` returned.
            parts: What gives a part's mean loss, and its share of the batch, in [0, 1]; over all processes the shares
                add up to 1.

        Returns:
            The loss of the whole batch, in nats.
        """
        value, last = 0.0, len(self.own_parts) - 1
        for number, (forward, share) in enumerate(parts):
            with self._in_step(model, number == last):
                loss = forward()
                value += share * loss.item()
                # DDP and FSDP2 take the mean over the processes, and where these agree it is that of their momenta.
                self.precision.scaled(loss * (share * self.processes.count)).backward()
        return self._sum(value)

    def _in_step(self, model: nn.Module, is_last: bool) -> AbstractContextManager[Any]:
        """Let processes talk after the last part alone."""
        return nullcontext() if is_last or not isinstance(model, DistributedDataParallel) else model.no_sync()

    def _sum(self, value: float) -> float:
        if self.processes.count == 1:
            return value
        return self.processes.sum(torch.tensor(value, dtype=torch.float64, device=self.processes.device)).item()

    def whole_weights(self, model: nn.Module) -> Iterator[tuple[str, Tensor]]:
        """Yield every weight and buffer once, by its first name, as a whole; all processes must iterate together."""
        self.share_buffers(model)
        seen: set[int] = set()
        for name, tensor in model.state_dict(keep_vars=True).items():
            if id(tensor) not in seen:  # tied weights stand under two names
                seen.add(id(tensor))
                yield name, whole_tensor(tensor.detach())

    def share_buffers(self, model: nn.Module) -> None:
        """Give all processes the first one's buffers: batch norm's are those of the rows that a process has seen."""
        if self.processes.count > 1:
            for buffer in model.buffers():
                dist.broadcast(buffer, src=0)

    def put_weights(self, model: nn.Module, weights: dict[str, Tensor]) -> None:
        """Write what ``whole_weights`` yielded into a model, or into this process's shards of one."""
        own = model.state_dict(keep_vars=True)
        for name, value in weights.items():
            put(own[name], value)

    def random_states(self) -> list[dict[str, Tensor]]:
        """Return the state of every process's random generators, by rank."""
        state = {"cpu": torch.get_rng_state()}
        if self.processes.device.type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(self.processes.device)
        return self.processes.gather(state)

    def set_random_states(self, states: list[dict[str, Tensor]], seed: int) -> None:
        """Go on from ``random_states()``; a process that was not there then draws from the seed."""
        if self.processes.rank >= len(states):
            self.part_random_numbers(seed)
            return
        own = states[self.processes.rank]
        torch.set_rng_state(own["cpu"])
        if "cuda" in own and self.processes.device.type == "cuda":
            torch.cuda.set_rng_state(own["cuda"], self.processes.device)
