"""The networks that a recipe may ask for."""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from lionkit_lab.recipe._section import Count, Probability, Section

Counts = Annotated[tuple[Count, ...], Field(min_length=1)]


def _count_or_counts(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError as error:
        # Pydantic reports one error for each member of the union; a reader needs one for the key.
        allowed = "must be an integer of at least 1, or a list of such, one a stage"
        raise ValueError(f"{value!r} is not allowed: {allowed}") from error


class ResNet(Section):
    """A residual net; as it stands, with basic layers and a 3x3 stem, for small images."""

    name: Literal["resnet"]
    """The model."""
    widths: Counts = (16, 32, 64)
    """Channels of each stage, each at least 1; each stage after the first halves the image."""
    depth: Annotated[Count | Counts, WrapValidator(_count_or_counts)] = 1
    """Residual layers in a stage, at least 1: of all stages, or a list with one for each."""
    stem_stride: Literal[1, 2] = 1
    """Stride of the 3x3 stem: 2 halves the image at once and makes a step about 4 times cheaper."""
    stem: Literal["3x3", "7x7"] = "3x3"
    """For images of 28 or 32 pixels; "7x7" with stride 2 and a max-pool is ImageNet's, for 224 pixels."""
    layer: Literal["basic", "bottleneck"] = "basic"
    """Two 3x3 convolutions; or, from 50 layers on, 1x1, 3x3 and 1x1 with a quarter of the channels between."""

    @model_validator(mode="after")
    def _settings_fit(self) -> "ResNet":
        if isinstance(self.depth, tuple) and len(self.depth) != len(self.widths):
            allowed = f"must have one number for each of the {len(self.widths)} widths"
            raise ValueError(f"depth {list(self.depth)} is not allowed: {allowed}")
        if self.stem == "7x7" and self.stem_stride != 1:
            raise ValueError(f'stem_stride {self.stem_stride} is not allowed with stem "7x7": it has its own')
        if self.layer == "bottleneck" and any(width % 4 for width in self.widths):
            allowed = 'must be multiples of 4 with layer "bottleneck"'
            raise ValueError(f"widths {list(self.widths)} are not allowed: {allowed}")
        return self


class _Transformer(Section):
    width: Count = 64
    """Width of the residual stream, at least 1 and a multiple of ``heads``."""
    layers: Count = 2
    """Transformer layers, at least 1."""
    heads: Count = 4
    """Attention heads, at least 1."""
    dropout: Probability = 0.0
    """Dropout probability, in [0, 1)."""
    init_std: Annotated[float, Field(gt=0)] | None = None
    """Standard deviation of the first weights, above 0; 0.02 sqrt(768 / width) when absent."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> "_Transformer":
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not allowed: must be a multiple of heads ({self.heads})")
        return self


class ViT(_Transformer):
    """A vision transformer."""

    name: Literal["vit"]
    """The model."""
    patch: Count = 7
    """Side of a patch in pixels, at least 1; divides the image's side."""
    mlp_ratio: Count = 2
    """Width of the MLP over ``width``, at least 1; 4 in the published models."""


class GPT2(_Transformer):
    """A GPT-2 language model with an MLP of four times its width."""

    name: Literal["gpt2"]
    """The model."""


class BERT(_Transformer):
    """BERT with both heads of its pre-training and an MLP of four times its width."""

    name: Literal["bert"]
    """The model."""


class MLP(Section):
    """A multilayer perceptron on the pixels of an image, with ReLU between its layers."""

    name: Literal["mlp"]
    """The model."""
    widths: Counts = (64,)
    """Units of each hidden layer, each at least 1."""


ModelSettings = Annotated[ResNet | ViT | GPT2 | BERT | MLP, Field(discriminator="name")]
