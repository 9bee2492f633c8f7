"""The paper's networks at full size: those of its recipes, where their sizes stand."""

from lionkit_lab.recipe import ModelSettings, load

PUBLISHED = {
    "resnet18": "paper/resnet18-imagenet",
    "resnet18-cifar": "paper/resnet18-cifar10",
    "resnet50": "paper/resnet50-imagenet",
    "resnet50-cifar": "paper/resnet50-cifar10",
    "vit-s": "paper/vit-s-imagenet",
    "bert-small": "paper/bert-small",
    "bert-base": "paper/bert-base",
    "gpt2-small": "paper/gpt2-small",
    "gpt2-medium": "paper/gpt2-medium",
}
"""Name -> recipe. "cifar" has the 3x3 stem for 32 pixels, the other ResNets ImageNet's.

Images are of 224 pixels for ViT-S; BERT has 30,522 tokens and a context of 512, GPT-2 50,257 and 1,024.
"""


def published(name: str) -> ModelSettings:
    """Return the settings of one of the paper's networks.

    Args:
        name: One of ``PUBLISHED``.

    Examples:
        >>> published("gpt2-small").width
        768
    """
    return load(PUBLISHED[name]).model
