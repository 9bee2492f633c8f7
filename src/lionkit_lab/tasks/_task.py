"""What the training loop needs to know about a task."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from lionkit_lab.data import DataFile
from lionkit_lab.models import Begun
from lionkit_lab.recipe import Recipe
from lionkit_lab.tasks._samples import Batch, Samples
from lionkit_lab.tasks._start import starting_weights


class Task(ABC):
    """A training set, a test set, a model for them and a loss.

    Batches depend on the recipe's seed and the step alone, so that a resumed run needs no more than its step.
    """

    train: Samples
    """The training set."""
    test: Samples
    """The test set."""
    data_files: tuple[DataFile, ...]
    """The data files that were read."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._start = starting_weights(recipe.start)
        self._begun: Begun | None = None

    @abstractmethod
    def network(self) -> nn.Module:
        """Build the recipe's network; its weights are drawn from torch's global generator.

        Raises:
            UsageError: It does not take the data.
        """

    def model(self) -> nn.Module:
        """Build the network, and begin with the weights of the recipe's ``start``, if any.

        Raises:
            UsageError: The network does not take the data, or the weights do not fit.
            RunError: The file of the weights is damaged.
        """
        network = self.network()
        if self._start:
            self._begun = self._start.put_into(network)
        return network

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The files that were read: data and, if any, the weights to begin with."""
        return (*self.data_files, *((self._start.file,) if self._start else ()))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should hear of the model, one line each."""
        return (self._begun.line,) if self._begun else ()

    @abstractmethod
    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean loss over the batch's rows, 0-dimensional, in nats."""

    @abstractmethod
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return ``test_loss`` (nats) and what else the task measures on its test set."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return the manifest's ``task`` entries, but for ``num_parameters``."""

    def measured_at(self, model: nn.Module, step: int) -> dict[str, float]:
        """Return what else is measured in the logging epoch at a step, by the names that it has in the record."""
        return {}

    def facts(self) -> dict[str, Any]:
        """Return what every task describes: samples that are trained on, logged and tested on; where it began."""
        counts = {
            "num_train": self.num_samples,
            "num_logged": self._num_spaced(self.train),
            "num_test": self._num_spaced(self.test),
        }
        return counts | ({"start": asdict(self._begun)} if self._begun else {})

    @property
    def num_samples(self) -> int:
        """Samples in the training set."""
        return len(self.train)

    @property
    def steps_per_epoch(self) -> int:
        """Batches in a training epoch; the last one may be smaller."""
        return -(-self.num_samples // self.recipe.training.batch_size)

    def batch(self, step: int, part: int = 0, parts: int = 1) -> Batch:
        """Return the batch of the step after ``step`` steps, from its epoch's own permutation.

        Args:
            step: Steps done, at least 0.
            part: Which of the parts to return, in [0, ``parts``).
            parts: Into how many the batch is cut, at least 1: the first ones may have a row more than the last, and
                of a batch of fewer rows than parts the last ones are empty.
        """
        epoch, position = divmod(step, self.steps_per_epoch)
        if position == 0 or self._permuted_epoch != epoch:
            self._permutation, self._permuted_epoch = self._permute(epoch), epoch
        size = self.recipe.training.batch_size
        indices = self._permutation[position * size : (position + 1) * size]
        return self.train.batch(indices.tensor_split(parts)[part], epoch)

    def logging_batches(self, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        """Yield the batches of a logging epoch: the same ones each time; the last one may be smaller.

        Args:
            part: Which of the parts to yield, in [0, ``parts``).
            parts: Over how many the batches are dealt out in turn, at least 1.
        """
        return self._evenly_spaced(self.train, part, parts)

    def test_batches(self) -> Iterator[Batch]:
        """Yield the batches of a test: at most as many as those of a logging epoch."""
        return self._evenly_spaced(self.test)

    _permuted_epoch: int | None = None
    _permutation: Tensor

    def _permute(self, epoch: int) -> Tensor:
        # Seeding with a pair would need numpy; this is injective for fewer than a million epochs.
        generator = torch.Generator().manual_seed((self.recipe.seed * 1_000_003 + epoch) % 2**63)
        return torch.randperm(self.num_samples, generator=generator)

    def _evenly_spaced(self, samples: Samples, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        count = self._num_spaced(samples)
        indices = torch.arange(count) * len(samples) // count
        return (samples.batch(rows) for rows in indices.split(self.recipe.logging.batch_size)[part::parts])

    def _num_spaced(self, samples: Samples) -> int:
        logging, count = self.recipe.logging, len(samples)
        return count if logging.batches == "all" else min(count, logging.batches * logging.batch_size)
