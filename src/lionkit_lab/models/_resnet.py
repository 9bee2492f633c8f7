"""The residual net."""

from torch import nn

from lionkit_lab.recipe import ResNet


def resnet(settings: ResNet, channels: int, num_classes: int) -> nn.Module:
    """Build a ResNet: ``pixel_values`` (batch, channels, height, width) -> ``.logits`` (batch, num_classes).

    The layers and their initialisation are those of transformers, and so is the stem "7x7". For the stem "3x3", that
    one gives way to the one convolution that papers use for 28 and 32 pixels.

    Args:
        settings: Widths, depths and kind of the layers, and the stem.
        channels: Channels of an image, at least 1.
        num_classes: Classes, at least 1.

    References:
        He et al., "Deep residual learning for image recognition", arXiv 1512.03385, table 1 and section 4.2.
    """
    from transformers import ResNetConfig, ResNetForImageClassification  # seconds to import

    config = ResNetConfig(
        num_channels=channels,
        embedding_size=_stem_width(settings),
        hidden_sizes=list(settings.widths),
        depths=_depths(settings),
        layer_type=settings.layer,
    )
    config.num_labels = num_classes
    model = ResNetForImageClassification(config)
    if settings.stem == "3x3":
        _replace_stem(model, channels, _stem_width(settings), settings.stem_stride)
    return model


def _stem_width(settings: ResNet) -> int:
    # The paper's: the channels between the 1x1 convolutions of the first bottleneck.
    return settings.widths[0] // 4 if settings.layer == "bottleneck" else settings.widths[0]


def _depths(settings: ResNet) -> list[int]:
    depth = settings.depth
    return list(depth) if isinstance(depth, tuple) else [depth] * len(settings.widths)


def _replace_stem(model: nn.Module, channels: int, width: int, stride: int) -> None:
    from transformers.models.resnet.modeling_resnet import ResNetConvLayer

    stem = ResNetConvLayer(channels, width, kernel_size=3, stride=stride)
    stem.apply(model._init_weights)  # pyright: ignore[reportArgumentType]
    model.resnet.embedder = stem  # pyright: ignore[reportAttributeAccessIssue, reportArgumentType]
