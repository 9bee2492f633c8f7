"""Pairs of segments with masks: what BERT is trained on, with ALBERT's question about their order."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lionkit_lab.data._random import generator
from lionkit_lab.data.language._masks import mask_tokens
from lionkit_lab.data.language._shards import TokenShards
from lionkit_lab.data.language._tokenizer import Tokenizer
from lionkit_lab.errors import RunError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator

_SPECIAL = 3  # one token before the first segment and one after each
_SHORTEST = 8  # tokens of the last, shorter piece of a document; fewer are left out
# A full stop, and the quotes and line breaks that BPE joins to it.
_SENTENCE_END = re.compile(r"[.!?][\"'()\]\u010a\u0120]*")


@dataclass(frozen=True)
class Pair:
    """One sample; every array is (length,), int64."""

    input_ids: "np.ndarray"
    """The tokens, many of the chosen ones hidden."""
    token_type_ids: "np.ndarray"
    """0 up to the end of the first segment, 1 in the second, 0 in the padding."""
    attention_mask: "np.ndarray"
    """1, and 0 in the padding."""
    labels: "np.ndarray"
    """The chosen tokens, -100 elsewhere."""
    swapped: int
    """1 when the second segment comes before the first in the text, else 0."""


class SentencePairs:
    """Samples of two segments that follow each other in one document, in half of them swapped.

    A document is cut into pieces of ``length - 3`` tokens, and each piece in two segments: after a full stop (or
    ``!``, ``?``) where it has one, chosen at random, else anywhere. Cut, order and masks are a function of seed,
    epoch and index alone. For a test or a logging epoch, keep the epoch fixed.

    Args:
        shards: The tokens, by ``tokenizer``.
        tokenizer: One that has BERT's special tokens.
        length: Tokens in a sample, the special ones among them, at least 12.
        share: Share of the tokens that are to be predicted, in (0, 1].

    Raises:
        UsageError: The tokenizer has no special tokens, or ``length`` is out of range.
        RunError: The shards are another tokenizer's, or no document is long enough.

    References:
        Devlin et al., "BERT", NAACL 2019, section 3.1; Lan et al., "ALBERT", ICLR 2020, section 3.1 (sentence order).
    """

    def __init__(self, shards: TokenShards, tokenizer: Tokenizer, length: int, *, share: float = 0.15) -> None:
        import numpy as np

        least = _SPECIAL + _SHORTEST + 1
        if length < least:
            raise UsageError(f"sample of {length} tokens is not allowed: must be at least {least}")
        if shards.index.tokenizer_sha256 != tokenizer.sha256():
            raise RunError(
                f'folder {shards.folder}: found tokens by {shards.index.tokenizer}; expected "{tokenizer.name}"'
            )
        self._shards, self.length, self.share = shards, length, share
        self._special, self._vocabulary = tokenizer.special(), len(tokenizer)
        self._sentence_ends = np.array(sentence_ends(tokenizer))
        self._stops = shards.ends() - 1  # Each document without the token that ends it.
        self._starts = np.concatenate([[0], self._stops[:-1] + 1])
        whole, rest = np.divmod(self._stops - self._starts, length - _SPECIAL)
        self._firsts = np.cumsum(np.concatenate([[0], whole + (rest >= _SHORTEST)]))
        if not len(self):
            raise RunError(f"folder {shards.folder}: found no document of {_SHORTEST} tokens; expected longer ones")

    def __len__(self) -> int:
        """Return the number of samples."""
        return int(self._firsts[-1])

    def sample(self, index: int, seed: int, epoch: int) -> Pair:
        """Return the sample of an index in [0, n)."""
        import numpy as np

        random = generator("mask", seed, epoch, index)
        piece = self._piece(index)
        cut, swapped = self._cut(piece, random), int(random.integers(2))
        first, second = (piece[cut:], piece[:cut]) if swapped else (piece[:cut], piece[cut:])
        special = self._special
        filling = np.full(self.length - _SPECIAL - len(piece), special.pad)
        ends = [special.separator]
        tokens = np.concatenate([[special.start], first, ends, second, ends, filling])
        border, used = len(first) + 2, len(piece) + _SPECIAL
        place = np.arange(self.length)
        maskable = np.concatenate([place[1 : border - 1], place[border : used - 1]])
        seen, labels = mask_tokens(tokens, maskable, special.mask, self._vocabulary, random, self.share)
        types = ((place >= border) & (place < used)).astype(np.int64)
        return Pair(seen, types, (place < used).astype(np.int64), labels, swapped)

    def batch(self, indices: Tensor, seed: int, epoch: int) -> dict[str, Tensor]:
        """Return samples under the names that transformers' ``BertForPreTraining`` gives them.

        Returns:
            ``input_ids``, ``token_type_ids``, ``attention_mask`` and ``labels``, each (b, length), and
            ``next_sentence_label``, (b,), which is 1 where the segments are swapped; all int64.
        """
        import numpy as np

        pairs = [self.sample(index, seed, epoch) for index in indices.tolist()]
        names = ("input_ids", "token_type_ids", "attention_mask", "labels")
        rows = {name: np.array([getattr(pair, name) for pair in pairs], dtype=np.int64) for name in names}
        batch = {name: torch.from_numpy(found.reshape(-1, self.length)) for name, found in rows.items()}
        return batch | {"next_sentence_label": torch.tensor([pair.swapped for pair in pairs], dtype=torch.int64)}

    def _piece(self, index: int) -> "np.ndarray":
        import numpy as np

        assert 0 <= index < len(self)
        document = int(np.searchsorted(self._firsts, index, side="right")) - 1
        room = self.length - _SPECIAL
        start = int(self._starts[document]) + (index - int(self._firsts[document])) * room
        return self._shards.read(start, min(start + room, int(self._stops[document])))

    def _cut(self, piece: "np.ndarray", random: "Generator") -> int:
        """Return the length of the first segment, in [1, len(piece) - 1]."""
        import numpy as np

        places = np.flatnonzero(np.isin(piece[:-1], self._sentence_ends)) + 1
        return int(random.choice(places)) if len(places) else int(random.integers(1, len(piece)))


def sentence_ends(tokenizer: Tokenizer) -> list[int]:
    """Return the tokens that end a sentence."""
    return [id_ for id_ in range(len(tokenizer)) if _SENTENCE_END.fullmatch(tokenizer.token(id_))]
