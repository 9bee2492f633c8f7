"""The processes that train a model together, and what of it they vote on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch.distributed as dist
from torch import Tensor, nn

from lionkit.distributed._workers import Workers

_MOST_WORKERS = 16383  # twice as many votes still fit into 16 bits


class Team(ABC):
    """A wrapped model: a `DDPTeam` has whole copies of it, a `ReplicaTeam` copies of shards.

    Attributes:
        model: As it was handed over; whether it serves, `refusals` says.
        group: All processes that train it: what one of them refuses, all refuse.
    """

    model: nn.Module
    group: dist.ProcessGroup

    @abstractmethod
    def refusals(self) -> Iterator[str]:
        """Say what of the model does not serve; nothing below is asked where something does not."""

    @abstractmethod
    def held(self) -> tuple[int, list[int]]:
        """Return the number of the shard that this process holds, and who holds it too, as ranks of the group."""

    @abstractmethod
    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Return all parameters by the names that the model has for them."""

    @abstractmethod
    def trained(self) -> Iterator[tuple[str, Tensor]]:
        """Return those that get gradients."""

    @abstractmethod
    def attach(self, workers: Workers) -> None:
        """Let the workers vote on the gradients of every backward pass from now on."""


def require_gloo(group: dist.ProcessGroup) -> None:
    """Raise where processes cannot vote, which each of them sees by itself.

    Raises:
        ValueError: they are of another backend, or too many.
    """
    backend, size = dist.get_backend(group), dist.get_world_size(group)
    if backend != "gloo":
        raise ValueError(f"Invalid process group: its backend is {backend}, it must be gloo")
    if size > _MOST_WORKERS:
        raise ValueError(f"Invalid process group: of {size} processes, it must be of at most {_MOST_WORKERS}")


def sparse_gradients(model: nn.Module) -> Iterator[str]:
    """Say which modules of a model make gradients that no vote can read."""
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.sparse:
            yield f"Invalid model: the gradients of {name} are sparse, they must be dense: sparse=False"
