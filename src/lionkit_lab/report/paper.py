"""The numbers that the paper prints, each with its place; its curves are pictures, of which no value is read here.

References:
    Dong, Li, Lin, "Convergence Rate Analysis of LION", arXiv 2411.07724, section 4 and appendix B.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from lionkit_lab.record import Record


@dataclass(frozen=True)
class Network:
    r"""A panel of the norm ratio, whose caption gives :math:`\sqrt d`.

    Attributes:
        name: What the paper calls the network.
        data: A pattern of the data's title.
        place: The panel.
        sqrt_dim: The square root of the number of weights, as printed: to whole numbers.
    """

    name: str
    data: str
    place: str
    sqrt_dim: int


NETWORKS = (
    Network("ResNet18", r"cifar-?100\b", "fig. 1 (b)", 3350),
    Network("ResNet50", r"cifar-?100\b", "fig. 1 (d)", 4869),
    Network("ViT-S", r"cifar-?100\b", "fig. 1 (f)", 4659),
    Network("ResNet18", r"cifar-?10\b", "fig. B.4 (b)", 3343),
    Network("ResNet50", r"cifar-?10\b", "fig. B.4 (d)", 4850),
    Network("ViT-S", r"cifar-?10\b", "fig. B.4 (f)", 4655),
    Network("ResNet18", r"imagenet", "fig. B.5 (b)", 3350),
    Network("ResNet50", r"imagenet", "fig. B.5 (d)", 4869),
    Network("ViT-S", r"imagenet", "fig. B.5 (f)", 5484),
)
"""Figures 2 and 3, of the language models, name no number of weights."""

LOG_PERPLEXITY: dict[str, dict[str, dict[int, float]]] = {
    "GPT-2 Small": {
        "sgd": {10_000: 8.202, 20_000: 8.005, 30_000: 7.922, 40_000: 7.892, 50_000: 7.887},
        "lion": {10_000: 3.659, 20_000: 3.409, 30_000: 3.326, 40_000: 3.293, 50_000: 3.284},
    },
    "GPT-2 Medium": {
        "sgd": {10_000: 8.029, 20_000: 7.807, 30_000: 7.737, 40_000: 7.715, 50_000: 7.712},
        "lion": {10_000: 3.221, 20_000: 3.004, 30_000: 2.918, 40_000: 2.882, 50_000: 2.876},
    },
}
"""Table B.1: the natural logarithm of the zero-shot perplexity on WikiText-103, by network, optimizer and step."""

_FIGURES = (
    (r"cifar-?100\b", {"resnet", "vit"}, "fig. 1"),
    (r"cifar-?10\b", {"resnet", "vit"}, "fig. B.4"),
    (r"imagenet", {"resnet", "vit"}, "fig. B.5"),
    ("", {"bert"}, "fig. 2"),
    ("", {"gpt2"}, "fig. 3"),
)
_GPT2 = {(768, 12): "GPT-2 Small", (1024, 24): "GPT-2 Medium"}


def network_of(info: Record) -> Network | None:
    """Return the paper's network that a task trains: on the same data, and of the same size.

    Args:
        info: The manifest's task entry.
    """
    root, title = math.sqrt(info["num_parameters"]), info["title"].lower()
    same = (it for it in NETWORKS if abs(root - it.sqrt_dim) < 1 and re.search(it.data, title))
    return next(same, None)


def figure_of(manifest: Record) -> str | None:
    """Return the paper's figure that asks what a run asks: of the same kind of network, on the same data or language.

    Args:
        manifest: The run's.
    """
    title, kind = manifest["task"]["title"].lower(), manifest["recipe"].get("model", {}).get("name")
    return next((place for data, kinds, place in _FIGURES if kind in kinds and re.search(data, title)), None)


def log_perplexity_of(manifest: Record) -> tuple[str, dict[int, float]] | None:
    """Return the paper's name of a run's network, and its line of table B.1, by step; None where it has none.

    Args:
        manifest: The run's; the paper's were trained on OpenWebText, and their perplexity is of WikiText.
    """
    recipe = manifest["recipe"]
    measured = recipe.get("task", {}).get("perplexity") or {}
    if "wikitext" not in measured.get("data", "").lower() or "openwebtext" not in manifest["task"]["title"].lower():
        return None
    model = recipe.get("model", {})
    name = _GPT2.get((model.get("width"), model.get("layers"))) if model.get("name") == "gpt2" else None
    line = LOG_PERPLEXITY[name].get(recipe["optimizer"]["name"]) if name else None
    return (name, line) if name and line else None
