"""The paper's networks at full size."""

from lionkit_lab.recipe import BERT, GPT2, ResNet, ViT

# 0.1 and 0.02 are what GPT-2 and BERT were published with, and Megatron-LM's defaults; the paper names neither.
_LANGUAGE = {"dropout": 0.1, "init_std": 0.02}

PUBLISHED: dict[str, ResNet | ViT | GPT2 | BERT] = {
    "resnet18": ResNet(name="resnet", widths=(64, 128, 256, 512), depth=2, stem="7x7"),
    "resnet18-cifar": ResNet(name="resnet", widths=(64, 128, 256, 512), depth=2),
    "resnet50": ResNet(
        name="resnet", widths=(256, 512, 1024, 2048), depth=(3, 4, 6, 3), layer="bottleneck", stem="7x7"
    ),
    "resnet50-cifar": ResNet(name="resnet", widths=(256, 512, 1024, 2048), depth=(3, 4, 6, 3), layer="bottleneck"),
    "vit-s": ViT(name="vit", width=384, layers=12, heads=6, mlp_ratio=4, patch=16, init_std=0.02),
    # The paper gives no sizes: these are those of BERT's own repository.
    "bert-small": BERT(name="bert", width=512, layers=4, heads=8, **_LANGUAGE),
    "bert-base": BERT(name="bert", width=768, layers=12, heads=12, **_LANGUAGE),
    "gpt2-small": GPT2(name="gpt2", width=768, layers=12, heads=12, **_LANGUAGE),
    "gpt2-medium": GPT2(name="gpt2", width=1024, layers=24, heads=16, **_LANGUAGE),
}
"""By name: "cifar" has the 3x3 stem for 32 pixels, the other ResNets ImageNet's.

Images are of 224 pixels for ViT-S; BERT has 30,522 tokens and a context of 512, GPT-2 50,257 and 1,024.
"""
