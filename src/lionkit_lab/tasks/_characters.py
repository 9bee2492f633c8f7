"""Character language modelling."""

from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from lionkit_lab import models
from lionkit_lab.data import load_text
from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import GPT2, Characters, Recipe
from lionkit_lab.tasks._task import Batch, Task


@final
class CharacterModelling(Task):
    """Predict each next character; the loss is cross-entropy in nats a character, and so is the metric.

    A sample is a window of the text; windows do not overlap, but for the one character that a window predicts
    last and the next one sees first.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        assert isinstance(recipe.task, Characters)
        assert isinstance(recipe.model, GPT2)
        self._settings, self._context = recipe.model, recipe.task.context
        text = load_text(recipe.task.data)
        self.train, self.test = (self._windows(text.train),), (self._windows(text.test),)
        self.files = text.files
        self._vocabulary = text.vocabulary
        self._data_name = recipe.task.data.name if recipe.task.data else "Moby-Dick"

    def model(self) -> nn.Module:
        """Build the recipe's GPT-2."""
        return models.gpt2(self._settings, len(self._vocabulary), self._context)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean cross-entropy of the next character."""
        (windows,) = batch
        logits = model(input_ids=windows[:, :-1]).logits
        return functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return the test loss."""
        loss, count = 0.0, 0
        for batch in self.test_batches():
            loss += self.loss(model, batch).item() * len(batch[0])
            count += len(batch[0])
        return {"test_loss": loss / count}

    def describe(self) -> dict[str, Any]:
        """Describe the data and the model."""
        model = self._settings
        return {
            "name": self._data_name.lower(),
            "title": self._data_name,
            "model": f"GPT-2, {model.layers} layers, width {model.width}",
            **self.counts(),
            "unit": f"windows of {self._context} characters",
            "metric": {"key": "test_loss", "label": "test loss", "higher_is_better": False},
        }

    def _windows(self, text: Tensor) -> Tensor:
        if len(text) <= self._context:
            raise UsageError(f"task.context: {self._context} is not allowed: must be below {len(text)} characters")
        return text.unfold(0, self._context + 1, self._context)
