"""The networks that are measured, and on what."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lionkit_lab.errors import UsageError, nearest
from lionkit_lab.models import published
from lionkit_lab.recipe import BERT, GPT2, MLP, ModelSettings, ResNet, ViT

ARCHITECTURES = {"mlp": "MLP", "resnet": "ResNet", "vit": "ViT", "gpt2": "GPT-2", "bert": "BERT"}
"""What people call a recipe's model."""


@dataclass(frozen=True)
class Case:
    """One network on one data set.

    Attributes:
        name: What `lionkit ratio --only` calls it.
        settings: The network.
        data: "images" is Fashion-MNIST as it is, "large images" the same scaled to 224 pixels and three channels;
            "characters" is Moby-Dick letter by letter, "tokens" the same in the published vocabulary of the network.
        context: Tokens in a window of text, at least 12; the side of the image otherwise.
        num_samples: Images or windows that the full gradient is taken over, evenly spaced over the training set.
        batch_size: Of those, how many are computed at once; batch norm uses the statistics of each batch.
    """

    name: str
    settings: ModelSettings
    data: Literal["images", "large images", "characters", "tokens"]
    context: int
    num_samples: int
    batch_size: int

    @property
    def architecture(self) -> str:
        """What people call the kind of network."""
        return ARCHITECTURES[self.settings.name]

    def sha256(self) -> str:
        """Return the hash of what decides a measurement, but for its seed."""
        parts = [self.settings.model_dump(mode="json"), self.data, self.context, self.num_samples, self.batch_size]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _small(name: str, settings: ModelSettings) -> Case:
    if isinstance(settings, GPT2 | BERT):
        return Case(name, settings, "characters", 64, 256, 64)
    return Case(name, settings, "images", 28, 1000, 250)


def _full(name: str, context: int, num_samples: int, batch_size: int) -> Case:
    settings = published(name)
    data = "tokens" if isinstance(settings, GPT2 | BERT) else "large images"
    return Case(name, settings, data, context, num_samples, batch_size)


# Each about 12 times the one before, as deep and as wide as people make networks of that size.
_MLPS = ((12,), (100,), (512, 512), (2048, 2048))
_RESNETS = (
    ResNet(name="resnet", widths=(8, 16)),
    ResNet(name="resnet", widths=(16, 32, 64)),
    ResNet(name="resnet", widths=(32, 64, 128, 256)),
    ResNet(name="resnet", widths=(64, 128, 256, 512), depth=2, stem_stride=2),  # ResNet-18, at a quarter of the cost
)
_TRANSFORMERS = (
    {"width": 16, "layers": 2},
    {"width": 48, "layers": 3},
    {"width": 128, "layers": 5},
    {"width": 320, "layers": 8},
)

CASES: tuple[Case, ...] = (
    *(_small(f"mlp-{size}", MLP(name="mlp", widths=widths)) for size, widths in enumerate(_MLPS, 1)),
    *(_small(f"resnet-{size}", settings) for size, settings in enumerate(_RESNETS, 1)),
    *(_small(f"vit-{size}", ViT(name="vit", mlp_ratio=4, **shape)) for size, shape in enumerate(_TRANSFORMERS, 1)),
    *(_small(f"gpt2-{size}", GPT2(name="gpt2", **shape)) for size, shape in enumerate(_TRANSFORMERS, 1)),
    *(_small(f"bert-{size}", BERT(name="bert", **shape)) for size, shape in enumerate(_TRANSFORMERS, 1)),
)
"""Five architectures in four sizes each, on data that ship with the package."""

FULL_SIZE: tuple[Case, ...] = (
    _full("resnet18", 224, 64, 32),
    _full("resnet50", 224, 64, 32),
    _full("vit-s", 224, 64, 32),
    _full("bert-small", 512, 8, 4),
    _full("bert-base", 512, 8, 4),
    _full("gpt2-small", 1024, 4, 2),
    _full("gpt2-medium", 1024, 2, 1),
)
"""The paper's networks; a few batches, for a gradient of them all takes days on a CPU."""


def find_cases(names: Sequence[str], *, full: bool) -> list[Case]:
    """Return the cases of these names, or without any all small ones, and with ``full`` those of full size too.

    Raises:
        UsageError: A name is not known.
    """
    known = {case.name: case for case in (*CASES, *FULL_SIZE)}
    for name in names:
        if name not in known:
            raise UsageError(f'model "{name}" is not known{nearest(name, known)}; known: {", ".join(known)}')
    return [known[name] for name in dict.fromkeys(names)] or [*CASES, *(FULL_SIZE if full else ())]
