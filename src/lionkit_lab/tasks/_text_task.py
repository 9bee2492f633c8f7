"""What the language tasks share."""

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from lionkit_lab.recipe import BERT, GPT2
from lionkit_lab.tasks._samples import Batch
from lionkit_lab.tasks._task import Task

_KINDS = {"gpt2": "GPT-2", "bert": "BERT"}


class TextTask(Task):
    """A language task: its metric is its test loss."""

    _title: str
    _unit: str

    @abstractmethod
    def measure(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return means over the batch's rows by name, 0-dimensional; ``loss``, in nats, is among them."""

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean loss of the rows."""
        return self.measure(model, batch)["loss"]

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return the mean over the test set of everything that is measured, ``test_loss`` among it."""
        sums: dict[str, float] = {}
        count = 0
        for batch in self.test_batches():
            for name, mean in self.measure(model, batch).items():
                sums[name] = sums.get(name, 0.0) + mean.item() * len(batch[0])
            count += len(batch[0])
        return {f"test_{name}": total / count for name, total in sums.items()}

    def describe(self) -> dict[str, Any]:
        """Describe the data and the model."""
        model = self.recipe.model
        assert isinstance(model, GPT2 | BERT)
        return {
            "name": self._title.lower(),
            "title": self._title,
            "model": f"{_KINDS[model.name]}, {model.layers} layers, width {model.width}",
            **self.facts(),
            "unit": self._unit,
            "metric": {"key": "test_loss", "label": "test loss", "higher_is_better": False},
        }
