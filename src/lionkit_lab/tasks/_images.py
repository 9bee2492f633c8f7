"""Image classification."""

from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from lionkit_lab import models
from lionkit_lab.data import load_images
from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import Images, Recipe, ResNet, ViT
from lionkit_lab.tasks._task import Batch, Task


@final
class ImageClassification(Task):
    """Name the class of an image; the loss is cross-entropy, the metric top-1 accuracy."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        assert isinstance(recipe.task, Images)
        images = load_images(recipe.task.data)
        self.train, self.test, self.files = images.train, images.test, images.files
        self._num_classes = images.num_classes
        self._data_name = recipe.task.data.name if recipe.task.data else "Fashion-MNIST"

    def model(self) -> nn.Module:
        """Build the recipe's ViT or ResNet.

        Raises:
            UsageError: The model does not take images of this shape.
        """
        _, channels, side, width = self.train[0].shape
        settings = self.recipe.model
        if isinstance(settings, ViT):
            if side != width:
                allowed = f"images of {side} x {width} pixels are not square; resnet takes them"
                raise UsageError(f'model.name: "vit" is not allowed: {allowed}')
            return models.vit(settings, channels, side, self._num_classes)
        assert isinstance(settings, ResNet)
        return models.resnet(settings, channels, self._num_classes)

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean cross-entropy."""
        images, labels = batch
        return functional.cross_entropy(model(pixel_values=images).logits, labels)

    @torch.no_grad()
    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Return the test loss and the share of test images whose class is named first."""
        loss, correct, count = 0.0, 0, 0
        for images, labels in self.test_batches():
            logits = model(pixel_values=images).logits
            loss += functional.cross_entropy(logits, labels, reduction="sum").item()
            correct += int((logits.argmax(dim=1) == labels).sum())
            count += len(labels)
        return {"test_loss": loss / count, "test_accuracy": correct / count}

    def describe(self) -> dict[str, Any]:
        """Describe the data and the model."""
        return {
            "name": self._data_name.lower(),
            "title": self._data_name,
            "model": _title(self.recipe.model),
            **self.counts(),
            "unit": "images",
            "metric": {"key": "test_accuracy", "label": "test accuracy", "higher_is_better": True},
        }


def _title(model: Any) -> str:
    if isinstance(model, ViT):
        return f"ViT, {model.layers} layers, width {model.width}"
    return f"ResNet, widths {'-'.join(map(str, model.widths))}"
