"""Tokenizers made from the user's own documents."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lionkit_lab.data.language._tokenizer import SPECIAL, UNKNOWN, Tokenizer
from lionkit_lab.errors import UsageError

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

_BYTES = 256
_LEAST = _BYTES + len(SPECIAL)


def train_bpe(documents: Iterable[str], size: int = 4096) -> Tokenizer:
    """Train a byte-level BPE, as GPT-2's, which can spell any text.

    Args:
        documents: What to train on; the training split alone, or the test would be seen.
        size: Tokens in the vocabulary, at least 262: the bytes and the special tokens. It is smaller where the
            documents do not have enough pairs.

    Raises:
        UsageError: ``size`` is out of range.

    References:
        Sennrich et al., "Neural machine translation of rare words with subword units", ACL 2016.
    """
    from tokenizers import Tokenizer as Backend
    from tokenizers import decoders, models, pre_tokenizers, trainers

    check_bpe_size(size)
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = list(SPECIAL)
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(documents, trainer)
    return Tokenizer(f"bpe-{backend.get_vocab_size()}", _without_special(backend))


def check_bpe_size(size: int) -> None:
    """Refuse a vocabulary that cannot hold the bytes and the special tokens.

    Raises:
        UsageError: ``size`` is below 262.
    """
    if size < _LEAST:
        raise UsageError(f"size {size} of a BPE is not allowed: must be at least {_LEAST}")


def character_tokenizer(documents: Iterable[str]) -> Tokenizer:
    """Make a tokenizer of single characters; one that ``documents`` do not have is unknown.

    Args:
        documents: Whose characters make the vocabulary.
    """
    from tokenizers import Regex, decoders, models, pre_tokenizers
    from tokenizers import Tokenizer as Backend

    characters = sorted(set().union(*documents))
    vocabulary = {token: id_ for id_, token in enumerate((*SPECIAL, *characters))}
    backend = Backend(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    backend.decoder = decoders.Fuse()
    return Tokenizer("characters", backend)


def _without_special(backend: "Backend") -> "Backend":
    """Return it without a special treatment of special tokens: their names in a text are text."""
    import json

    from tokenizers import Tokenizer as Backend

    saved = json.loads(backend.to_str())
    saved["added_tokens"] = []
    return Backend.from_str(json.dumps(saved))
