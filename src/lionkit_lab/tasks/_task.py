"""What the training loop needs to know about a task."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from lionkit_lab.data import DataFile
from lionkit_lab.recipe import Recipe

Batch = tuple[Tensor, ...]


class Task(ABC):
    """A training set, a test set, a model for them and a loss.

    A sample is one row of every tensor of the set. Batches depend on the recipe's seed and the step alone, so
    that a resumed run needs no more than its step.
    """

    train: Batch
    """The training set: tensors with one row a sample."""
    test: Batch
    """The test set, in the same form."""
    files: tuple[DataFile, ...]
    """The data files that were read."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    @abstractmethod
    def model(self) -> nn.Module:
        """Build the model; its weights are drawn from torch's global generator."""

    @abstractmethod
    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean loss over the batch's samples, 0-dimensional, in nats."""

    @abstractmethod
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return ``test_loss`` (nats) and what else the task measures on its test set."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return the manifest's ``task`` entries, but for ``num_parameters``."""

    def counts(self) -> dict[str, int]:
        """Return how many samples are trained on, measured by a logging epoch, and tested on."""
        return {
            "num_train": self.num_samples,
            "num_logged": self._num_spaced(self.train),
            "num_test": self._num_spaced(self.test),
        }

    @property
    def num_samples(self) -> int:
        """Samples in the training set."""
        return len(self.train[0])

    @property
    def steps_per_epoch(self) -> int:
        """Batches in a training epoch; the last one may be smaller."""
        return -(-self.num_samples // self.recipe.training.batch_size)

    def batch(self, step: int) -> Batch:
        """Return the batch of the step after ``step`` steps, from its epoch's own permutation."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if position == 0 or self._permuted_epoch != epoch:
            self._permutation, self._permuted_epoch = self._permute(epoch), epoch
        size = self.recipe.training.batch_size
        return _rows(self.train, self._permutation[position * size : (position + 1) * size])

    def logging_batches(self) -> Iterator[Batch]:
        """Yield the batches of a logging epoch: the same ones each time; the last one may be smaller."""
        return self._evenly_spaced(self.train)

    def test_batches(self) -> Iterator[Batch]:
        """Yield the batches of a test: at most as many as those of a logging epoch."""
        return self._evenly_spaced(self.test)

    _permuted_epoch: int | None = None
    _permutation: Tensor

    def _permute(self, epoch: int) -> Tensor:
        # Seeding with a pair would need numpy; this is injective for fewer than a million epochs.
        generator = torch.Generator().manual_seed((self.recipe.seed * 1_000_003 + epoch) % 2**63)
        return torch.randperm(self.num_samples, generator=generator)

    def _evenly_spaced(self, samples: Batch) -> Iterator[Batch]:
        count = self._num_spaced(samples)
        indices = torch.arange(count) * len(samples[0]) // count
        return (_rows(samples, part) for part in indices.split(self.recipe.logging.batch_size))

    def _num_spaced(self, samples: Batch) -> int:
        logging, count = self.recipe.logging, len(samples[0])
        return count if logging.batches == "all" else min(count, logging.batches * logging.batch_size)


def _rows(samples: Batch, indices: Tensor) -> Batch:
    return tuple(tensor[indices] for tensor in samples)
