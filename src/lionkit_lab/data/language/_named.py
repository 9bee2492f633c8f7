"""Tokenizers by the names that a recipe has for them."""

import hashlib
import re
from pathlib import Path

from lionkit_lab.data._cache import cache_folder
from lionkit_lab.data.language._corpus import Corpus, folder_name
from lionkit_lab.data.language._published import bert_tokenizer, gpt2_tokenizer
from lionkit_lab.data.language._tokenizer import Tokenizer, load_tokenizer
from lionkit_lab.data.language._trained import check_bpe_size, train_bpe
from lionkit_lab.errors import UsageError

_BPE = re.compile(r"bpe-(\d+)")


def named_tokenizer(name: str, corpus: Corpus) -> Tokenizer:
    """Return a tokenizer.

    Args:
        name: ``gpt2`` or ``bert``, once fetched; ``bpe-N``, which is trained on ``corpus`` and kept in the cache; or
            the path of a ``tokenizer.json``.
        corpus: The documents to train on.

    Raises:
        UsageError: The name is not known, or N is too small.
        RunError: The tokenizer was not fetched, or its file is missing or damaged.
    """
    check_tokenizer_name(name)
    if name == "gpt2":
        return gpt2_tokenizer()
    if name == "bert":
        return bert_tokenizer()
    if match := _BPE.fullmatch(name):
        return _bpe(int(match[1]), corpus)
    return load_tokenizer(Path(name))


def check_tokenizer_name(name: str) -> None:
    """Refuse a name that no tokenizer has; nothing is loaded.

    Raises:
        UsageError: The name is not known, or N of ``bpe-N`` is too small.
    """
    if match := _BPE.fullmatch(name):
        check_bpe_size(int(match[1]))
    elif name not in ("gpt2", "bert") and not name.endswith(".json"):
        raise UsageError(f'task.tokenizer: "{name}" is not known: must be gpt2, bert, bpe-N or a tokenizer.json')


def _bpe(size: int, corpus: Corpus) -> Tokenizer:
    documents = hashlib.sha256(corpus.identity().encode()).hexdigest()[:16]
    path = cache_folder() / "tokenizers" / f"{folder_name(corpus.name)}-{documents}" / f"bpe-{size}.json"
    if not path.exists():
        train_bpe(corpus.documents(), size).save(path)
    return load_tokenizer(path)
