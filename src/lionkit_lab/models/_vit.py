"""The vision transformer."""

from torch import nn

from lionkit_lab.errors import UsageError
from lionkit_lab.models._initial import standard_deviation
from lionkit_lab.recipe import ViT


def vit(settings: ViT, channels: int, side: int, num_classes: int) -> nn.Module:
    """Build a ViT: ``pixel_values`` (batch, channels, side, side) -> ``.logits`` (batch, num_classes).

    Args:
        settings: Width, layers, heads, MLP, dropout, patch.
        channels: Channels of an image, at least 1.
        side: Pixels on a side of the square image, at least 1.
        num_classes: Classes, at least 1.

    Raises:
        UsageError: The patch does not divide the side.
    """
    from transformers import ViTConfig, ViTForImageClassification  # seconds to import

    if side % settings.patch:
        raise UsageError(f"model.patch: {settings.patch} is not allowed: must divide the image's side, {side}")
    config = ViTConfig(
        hidden_size=settings.width,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=settings.mlp_ratio * settings.width,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=settings.dropout,
        initializer_range=standard_deviation(settings),
        image_size=side,
        patch_size=settings.patch,
        num_channels=channels,
    )
    config.num_labels = num_classes
    return ViTForImageClassification(config)
