"""Text into token ids: one class around the library `tokenizers`, however the vocabulary came about."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lionkit_lab import atomic
from lionkit_lab.data._files import decode, read
from lionkit_lab.data._writing import writing
from lionkit_lab.errors import RunError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from tokenizers import Tokenizer as Backend

END = "<|endoftext|>"
PAD, UNKNOWN, CLASS, SEPARATOR, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
SPECIAL = (END, PAD, UNKNOWN, CLASS, SEPARATOR, MASK)
"""The first tokens of a vocabulary of our own: it serves language models of both kinds."""

_NEEDED = (PAD, CLASS, SEPARATOR, MASK)  # in the order of the fields of Special


@dataclass(frozen=True)
class Special:
    """The tokens of which BERT's inputs are built."""

    pad: int
    """Fills a sample up."""
    start: int
    """Stands before the first segment."""
    separator: int
    """Stands after each segment."""
    mask: int
    """Stands for a token that is to be predicted."""


class Tokenizer:
    """Text into token ids; the text itself never yields a special token.

    Args:
        name: What it is called.
        backend: The tokenizer proper.

    Raises:
        UsageError: It has no token that can end a document.
    """

    def __init__(self, name: str, backend: "Backend") -> None:
        self.name = name
        self._backend = backend
        ends = [backend.token_to_id(token) for token in (END, SEPARATOR)]
        end = next((token for token in ends if token is not None), None)
        if end is None:
            raise UsageError(f'tokenizer "{name}": has neither {END} nor {SEPARATOR}; one of them must end a document')
        self.end: int = end
        """The token after each document: GPT-2's end of text, or BERT's separator."""

    def __len__(self) -> int:
        """Return the size of the vocabulary."""
        return self._backend.get_vocab_size()

    def encode(self, texts: Sequence[str]) -> list["np.ndarray"]:
        """Return the ids of each text, (n,), int64, without special tokens."""
        import numpy as np

        encoded = self._backend.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(one.ids, dtype=np.int64) for one in encoded]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ``ids``; that of WordPiece has lost its case and its spacing."""
        return self._backend.decode([int(token) for token in ids], skip_special_tokens=False)

    def token(self, id_: int) -> str:
        """Return the token of an id, as the vocabulary spells it; empty for an id that is left out."""
        return self._backend.id_to_token(id_) or ""

    def special(self) -> Special:
        """Return the tokens of which BERT's inputs are built.

        Raises:
            UsageError: The vocabulary does not have them, as GPT-2's.
        """
        ids = [self._backend.token_to_id(token) for token in _NEEDED]
        missing = [token for token, id_ in zip(_NEEDED, ids, strict=True) if id_ is None]
        if missing:
            raise UsageError(f'tokenizer "{self.name}": has no {", ".join(missing)}; masked language models need them')
        return Special(*(id_ for id_ in ids if id_ is not None))

    def sha256(self) -> str:
        """Return the hash of all that decides the ids."""
        return hashlib.sha256(self._backend.to_str().encode()).hexdigest()

    def save(self, path: Path) -> None:
        """Write it as one JSON file, which ``load_tokenizer`` reads."""
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic.write(path, self._backend.to_str().encode())


def load_tokenizer(path: Path) -> Tokenizer:
    """Load a ``tokenizer.json`` of the library `tokenizers`.

    Raises:
        RunError: It is missing or damaged.
    """
    from tokenizers import Tokenizer as Backend

    content = decode(path, read(path))
    try:
        return Tokenizer(path.stem, Backend.from_str(content))
    except UsageError:
        raise
    except Exception as error:  # The library raises a bare Exception.
        raise RunError(f"tokenizer {path}: does not load ({error}); expected a tokenizer.json") from error
