"""The tasks that a recipe may ask for."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, PlainSerializer, model_validator

from lionkit_lab.recipe._section import Count, Section

_HUB = "datasets:"


def _without_folder(place: str | None) -> str | None:
    # A manifest travels: it names the data by their hashes, not by a place on one machine.
    return place if place is None or place.startswith(_HUB) else Path(place).name


Place = Annotated[str, PlainSerializer(_without_folder)]


class Images(Section):
    """Image classification."""

    name: Literal["images"]
    """The task."""
    data: Place | None = None
    """A fetched set's name (`lionkit data list`), ``datasets:NAME``, or a path: of IDX files, of a CIFAR archive or
    folder, or of a folder of pictures by class. What ships with the package when absent."""
    augment: bool = False
    """Crop and mirror each training image at random, anew in every epoch; logging epochs and tests see it as it is."""
    side: Count = 224
    """Side in pixels that pictures of different sizes are brought to, at least 1; images of one size keep theirs."""
    scale_to: Count | None = None
    """Side in pixels that images of one size are scaled to, at least 1; as they are when absent."""
    classes: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=2)] | None = None
    """Numbers of the classes whose images are taken, at least two of them; all when absent."""
    outputs: Count | None = None
    """Outputs of the network, at least as many as there are classes; as many when absent."""


class Characters(Section):
    """Character language modelling."""

    name: Literal["characters"]
    """The task."""
    data: Place | None = None
    """A UTF-8 text file, packed (``.gz``) or not; the text that ships with the package when absent."""
    context: Count = 64
    """Characters in a window: those that the model sees, and those that it predicts. At least 1."""


class Perplexity(Section):
    """Perplexity on other documents than those that are trained on: zero-shot."""

    data: Place
    """Documents, as ``task.data`` names them; those of their test split are taken."""
    column: str = "text"
    """The column of the text, in parquet files and in ``datasets``."""
    stride: Count
    """Tokens from one window to the next, at least 1 and at most ``task.context``: every token is predicted once, and
    all but the first ones with at least ``context - stride`` tokens before it."""
    every: Count | None = None
    """Steps between two measurements, a multiple of ``logging.every``; at every logging epoch when absent."""


class _Tokens(Section):
    data: Place
    """A fetched corpus (`lionkit data list`), ``datasets:NAME``, or a text file, a parquet file or a folder of them."""
    column: str = "text"
    """The column of the text, in parquet files and in ``datasets``."""
    tokenizer: Place = "bpe-4096"
    """"gpt2", "bert", "bpe-N" (trained on the training documents, N at least 262), or a ``tokenizer.json``."""
    context: Count = 128
    """Tokens that the model sees at once, at least 1."""
    test_share: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """Share of the documents that are kept for the test, in (0, 1), where the data come without a test split."""


class Language(_Tokens):
    """Causal language modelling: predict each next token."""

    name: Literal["language"]
    """The task."""
    perplexity: Perplexity | None = None
    """Where else to measure the perplexity."""

    @model_validator(mode="after")
    def _stride_fits(self) -> "Language":
        if self.perplexity and self.perplexity.stride > self.context:
            allowed = f"must be in [1, {self.context}], task.context"
            raise ValueError(f"perplexity.stride {self.perplexity.stride} is not allowed: {allowed}")
        return self


class MaskedLanguage(_Tokens):
    """Masked language modelling with sentence-order prediction, as BERT and ALBERT are pre-trained."""

    name: Literal["masked-language"]
    """The task."""
    context: Annotated[int, Field(ge=12)] = 128
    """Tokens that the model sees at once, three of them special, at least 12."""


TaskSettings = Annotated[Images | Characters | Language | MaskedLanguage, Field(discriminator="name")]
