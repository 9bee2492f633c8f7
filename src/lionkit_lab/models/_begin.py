"""Fine-tuning: begin with the weights of an earlier training, as far as they fit."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from lionkit_lab.errors import UsageError
from lionkit_lab.models._weights import Weights

_HEAD = "classifier."
_POSITIONS = "embeddings.position_embeddings"


@dataclass(frozen=True)
class Begun:
    """What a network has of an earlier training.

    Attributes:
        name: What the checkpoint is called.
        loaded: Tensors that were taken.
        fresh: Tensors that are as they were drawn: those of a new head.
        scaled: Position embeddings that were scaled to another size of image.
        unused: Tensors of the checkpoint that the network does not have.
    """

    name: str
    loaded: int
    fresh: tuple[str, ...]
    scaled: tuple[str, ...]
    unused: tuple[str, ...]

    @property
    def line(self) -> str:
        """All of it in one line."""
        kinds = {"new": self.fresh, "scaled": self.scaled, "not loaded": self.unused}
        told = [f"{kind}: {_listed(names)}" for kind, names in kinds.items() if names]
        return f"begins with {self.loaded} tensors of {'; '.join([self.name, *told])}"


@torch.no_grad()
def begin(model: nn.Module, weights: Weights, *, new_head: bool = False) -> Begun:
    """Put the weights of an earlier training into a network of the same kind.

    A head for other classes stays as it was drawn. Position embeddings of an image of another size are scaled
    bicubically, as a picture of as many pixels as there were patches; the one of the class token stays.

    Args:
        model: The network.
        weights: Where the weights are.
        new_head: Leave the head as it was drawn even where the checkpoint's would fit.

    Raises:
        UsageError: A weight other than those is missing or has another shape.
        RunError: A file is damaged.

    References:
        Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021, section 3.2.
    """
    found = weights.tensors(model)
    fresh, scaled, taken = [], [], 0
    for name, tensor in _once(model).items():
        is_head = name.startswith(_HEAD)
        source = None if is_head and new_head else found.get(name)
        if source is not None and source.shape != tensor.shape and name.endswith(_POSITIONS):
            source = _scaled(source, tensor)
            scaled.append(name)
        if source is not None and source.shape == tensor.shape:
            tensor.copy_(source)
            taken += 1
        elif is_head:
            fresh.append(name)
        else:
            raise _misfit(weights, name, source, tensor)
    unused = sorted(set(found) - set(model.state_dict()))
    return Begun(weights.name, taken, tuple(fresh), tuple(scaled), tuple(unused))


def _once(model: nn.Module) -> dict[str, Tensor]:
    """Return every weight and buffer by its first name: tied ones have several."""
    seen: set[int] = set()
    named = model.state_dict(keep_vars=True)
    return {name: tensor for name, tensor in named.items() if not (id(tensor) in seen or seen.add(id(tensor)))}


def _scaled(source: Tensor, like: Tensor) -> Tensor:
    """Scale position embeddings (1, 1 + patches, width) to as many patches as ``like`` has, both squares."""
    before, after = (round((tensor.shape[1] - 1) ** 0.5) for tensor in (source, like))
    if source.shape[2] != like.shape[2] or before**2 != source.shape[1] - 1:
        return source
    grid = source[:, 1:].transpose(1, 2).unflatten(2, (before, before)).float()
    grid = functional.interpolate(grid, size=(after, after), mode="bicubic", align_corners=False)
    return torch.cat([source[:, :1], grid.flatten(2).transpose(1, 2).to(source)], dim=1)


def _misfit(weights: Weights, name: str, source: Tensor | None, tensor: Tensor) -> UsageError:
    found = "is not there" if source is None else f"has the shape {tuple(source.shape)}"
    expected = f"the model has {tuple(tensor.shape)} there"
    return UsageError(f"checkpoint {weights.name}: {name} {found}; {expected}: give the checkpoint of such a model")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
