"""A residual net for small images."""

from torch import nn

from lionkit_lab.recipe import ResNet


def resnet(settings: ResNet, channels: int, num_classes: int) -> nn.Module:
    """Build a ResNet: ``pixel_values`` (batch, channels, height, width) -> ``.logits`` (batch, num_classes).

    The layers and their initialisation are those of transformers. Its stem, made for images of 224 pixels
    (7x7, stride 2, max-pool), gives way to the 3x3 stem that papers use for 28 and 32 pixels.

    Args:
        settings: Widths, depth, stride of the stem.
        channels: Channels of an image, at least 1.
        num_classes: Classes, at least 1.
    """
    from transformers import ResNetConfig, ResNetForImageClassification  # seconds to import
    from transformers.models.resnet.modeling_resnet import ResNetConvLayer

    config = ResNetConfig(
        num_channels=channels,
        embedding_size=settings.widths[0],
        hidden_sizes=list(settings.widths),
        depths=[settings.depth] * len(settings.widths),
        layer_type="basic",
    )
    config.num_labels = num_classes
    model = ResNetForImageClassification(config)
    stem = ResNetConvLayer(channels, settings.widths[0], kernel_size=3, stride=settings.stem_stride)
    stem.apply(model._init_weights)
    model.resnet.embedder = stem  # pyright: ignore[reportAttributeAccessIssue]
    return model
