"""The multilayer perceptron."""

import math
from itertools import pairwise
from types import SimpleNamespace

from torch import Tensor, nn

from lionkit_lab.recipe import MLP


def mlp(settings: MLP, shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """Build an MLP: ``pixel_values`` (batch, channels, height, width) -> ``.logits`` (batch, num_classes).

    Weights are drawn by He's rule, so that signals keep their size at any width; biases begin at 0.

    Args:
        settings: Units of the hidden layers.
        shape: Channels, height and width of an image, each at least 1.
        num_classes: Classes, at least 1.

    References:
        He et al., "Delving deep into rectifiers", arXiv 1502.01852, equation (10).
    """
    return _Perceptron([math.prod(shape), *settings.widths, num_classes])


class _Perceptron(nn.Module):
    def __init__(self, units: list[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(units))
        for layer in self.layers:
            assert isinstance(layer, nn.Linear)
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, pixel_values: Tensor) -> SimpleNamespace:
        *hidden, last = self.layers
        features = pixel_values.flatten(1)
        for layer in hidden:
            features = layer(features).relu()
        return SimpleNamespace(logits=last(features))  # as transformers' models give theirs
