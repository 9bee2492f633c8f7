"""The weights that a recipe begins with."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from torch import nn

from lionkit_lab import models
from lionkit_lab.data import DataFile
from lionkit_lab.recipe import Start


@dataclass
class StartingWeights:
    """The weights of an earlier training.

    Attributes:
        weights: Where they are.
        new_head: Whether the network's head stays as it was drawn.
    """

    weights: models.Weights
    new_head: bool

    @cached_property
    def file(self) -> DataFile:
        """What a manifest says of them."""
        return DataFile(self.weights.name, self.weights.sha256(), source="checkpoint", license="unknown")

    def put_into(self, network: nn.Module) -> models.Begun:
        """Put them into a network of the same kind.

        Raises:
            UsageError: They do not fit.
            RunError: A file is damaged.
        """
        return models.begin(network, self.weights, new_head=self.new_head)


def starting_weights(start: Start | None) -> StartingWeights | None:
    """Find the weights of a recipe's ``start``; without one, there are none.

    Raises:
        UsageError: The file is missing.
        RunError: A part is missing.
    """
    if start is None:
        return None
    return StartingWeights(models.find_weights(Path(start.checkpoint), start.bring), start.new_head)
