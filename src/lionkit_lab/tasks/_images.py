"""Image classification."""

from typing import Any, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from lionkit_lab import models
from lionkit_lab.data.images import ImageSet, Split, chosen, load_image_set
from lionkit_lab.errors import UsageError
from lionkit_lab.recipe import MLP, Images, Recipe, ResNet, ViT
from lionkit_lab.tasks._losses import classification
from lionkit_lab.tasks._samples import Batch
from lionkit_lab.tasks._task import Task
from lionkit_lab.tasks._titles import title_of


@final
class ImageClassification(Task):
    """Name the class of an image; the loss is cross-entropy, the metric top-1 accuracy."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        assert isinstance(recipe.task, Images)
        self._settings = recipe.task
        self._images = images = _load(recipe.task)
        seed = recipe.seed if recipe.task.augment else None
        scale_to = recipe.task.scale_to
        self.train = _Standardised(images, images.train, seed, scale_to)
        self.test = _Standardised(images, images.test, None, scale_to)
        self.data_files = images.files

    def network(self) -> nn.Module:
        """Build the recipe's network.

        Raises:
            UsageError: The model does not take images of this shape, or has too few outputs.
        """
        settings = self.recipe.model
        assert isinstance(settings, ResNet | ViT | MLP)
        images, _ = self.train.batch(torch.tensor([0]))
        _, channels, height, width = images.shape
        return models.image_classifier(
            settings, (channels, height, width), num_outputs(self._settings, len(self._images.classes))
        )

    def loss(self, model: nn.Module, batch: Batch) -> Tensor:
        """Return the mean cross-entropy."""
        return classification(model, batch)["loss"]

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
        title = title_of(self._settings.data, "Fashion-MNIST")
        if self._settings.classes is not None:
            title += f" ({', '.join(self._images.classes)})"
        if self.recipe.start:
            title += ", fine-tuned"
        return {
            "name": title.lower(),
            "title": title,
            "model": _title(self.recipe.model),
            **self.facts(),
            "unit": "images",
            "metric": {"key": "test_accuracy", "label": "test accuracy", "higher_is_better": True},
        }


def num_outputs(task: Images, classes: int) -> int:
    """Return the outputs of a network that tells so many classes apart.

    Raises:
        UsageError: The recipe has it have fewer.
    """
    if task.outputs is not None and task.outputs < classes:
        found = f"task.outputs: {task.outputs} is not allowed"
        raise UsageError(f"{found}: must be at least {classes}, one for each class")
    return task.outputs or classes


def _load(task: Images) -> ImageSet:
    images = load_image_set(task.data, side=task.side, workers=torch.get_num_threads())
    return images if task.classes is None else chosen(images, task.classes)


class _Standardised:
    def __init__(self, images: ImageSet, split: Split, seed: int | None, scale_to: int | None) -> None:
        self._images, self._split, self._seed, self._scale_to = images, split, seed, scale_to

    def __len__(self) -> int:
        return len(self._split)

    def batch(self, indices: Tensor, epoch: int | None = None) -> Batch:
        if self._seed is None or epoch is None:
            pixels = self._split.plain(indices)
        else:
            pixels = self._split.augmented(indices, self._seed, epoch)
        return self._scaled(self._images.standardise(pixels)), self._split.labels[indices]

    def _scaled(self, images: Tensor) -> Tensor:
        if self._scale_to is None:
            return images
        return functional.interpolate(images, (self._scale_to, self._scale_to), mode="bilinear", align_corners=False)


def _title(model: Any) -> str:
    if isinstance(model, ViT):
        return f"ViT, {model.layers} layers, width {model.width}"
    kind = "ResNet" if isinstance(model, ResNet) else "MLP"
    return f"{kind}, widths {'-'.join(map(str, model.widths))}"
