"""The height of a computation: the most bytes of tensors that it has at once."""

import weakref
from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode  # the only way to see every tensor that is made
from torch.utils._pytree import tree_map_only


def height(computation: Callable[[], object], own: Iterable[Tensor]) -> int:
    """Return the most bytes of tensors that a computation has made and not yet freed.

    What an operator takes inside, and frees before it returns, is not seen.

    Args:
        computation: Computes, on tensors with or without content; what it leaves in its variables counts as freed
            once it has returned.
        own: Tensors that are there before; neither they nor views of them count.
    """
    with _Watched(own) as watched:
        computation()
    return watched.most


class _Watched(TorchDispatchMode):
    def __init__(self, own: Iterable[Tensor]) -> None:
        super().__init__()
        self.most = 0
        self._now = 0
        self._known = {tensor.untyped_storage()._cdata for tensor in own}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        tree_map_only(Tensor, self._note, made)
        return made

    def _note(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in self._known:
            self._known.add(storage._cdata)
            self._now += storage.nbytes()
            self.most = max(self.most, self._now)
            weakref.finalize(storage, self._forget, storage._cdata, storage.nbytes())
        return tensor

    def _forget(self, key: int, nbytes: int) -> None:
        self._known.discard(key)
        self._now -= nbytes
