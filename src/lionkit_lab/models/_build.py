"""The network that a recipe asks for."""

from torch import nn

from lionkit_lab.errors import UsageError
from lionkit_lab.models._bert import bert
from lionkit_lab.models._gpt2 import gpt2
from lionkit_lab.models._mlp import mlp
from lionkit_lab.models._resnet import resnet
from lionkit_lab.models._vit import vit
from lionkit_lab.recipe import BERT, GPT2, MLP, ResNet, ViT


def image_classifier(settings: ResNet | ViT | MLP, shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """Build the network: ``pixel_values`` (batch, channels, height, width) -> ``.logits`` (batch, num_classes).

    Args:
        settings: A recipe's model.
        shape: Channels, height and width of an image, each at least 1.
        num_classes: Classes, at least 1.

    Raises:
        UsageError: The model does not take images of this shape.
    """
    channels, height, width = shape
    if isinstance(settings, MLP):
        return mlp(settings, shape, num_classes)
    if isinstance(settings, ResNet):
        return resnet(settings, channels, num_classes)
    if height != width:
        allowed = f"images of {height} x {width} pixels are not square; resnet and mlp take them"
        raise UsageError(f'model.name: "vit" is not allowed: {allowed}')
    return vit(settings, channels, height, num_classes)


def language_model(settings: GPT2 | BERT, vocabulary: int, context: int) -> nn.Module:
    """Build the network, as `gpt2` and `bert` do.

    Args:
        settings: A recipe's model.
        vocabulary: Distinct tokens, at least 1.
        context: Most tokens in a window, at least 1.
    """
    if isinstance(settings, GPT2):
        return gpt2(settings, vocabulary, context)
    return bert(settings, vocabulary, context)
