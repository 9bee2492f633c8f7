"""Tokenizers: exact on any text, the same ones again from a file, and published ones of the right size alone."""

import json

import pytest

from lionkit_lab.data.language import bert_tokenizer, character_tokenizer, gpt2_tokenizer, load_tokenizer, train_bpe
from lionkit_lab.data.language._tokenizer import SPECIAL, Tokenizer
from lionkit_lab.errors import RunError, UsageError

TEXTS = [
    "The na\u00efve cat sat.\n\n  It sat \u2013 on the mat! \U0001f408\n",
    "A cat, a mat: <|endoftext|> and [MASK].\t\x0b end ",
] * 5


@pytest.mark.parametrize("make", [lambda: train_bpe(TEXTS, 300), lambda: character_tokenizer(TEXTS)])
def test_a_text_comes_back_and_yields_no_special_token(make, tmp_path):
    tokenizer = make()
    ids = tokenizer.encode(TEXTS)
    assert [tokenizer.decode(one) for one in ids] == TEXTS
    assert min(one.min() for one in ids) >= len(SPECIAL)
    assert max(one.max() for one in ids) < len(tokenizer)
    assert [tokenizer.token(number) for number in range(len(SPECIAL))] == list(SPECIAL)
    tokenizer.save(tmp_path / "saved.json")
    loaded = load_tokenizer(tmp_path / "saved.json")
    assert loaded.sha256() == tokenizer.sha256()
    assert [one.tolist() for one in loaded.encode(TEXTS)] == [one.tolist() for one in ids]
    assert loaded.special() == tokenizer.special()
    assert loaded.end == tokenizer.end == 0


def test_a_bpe_is_the_same_each_time_and_spells_what_it_never_saw():
    one, two = (train_bpe(TEXTS, 290) for _ in range(2))
    assert one.sha256() == two.sha256()
    assert len(one) == 290
    assert one.decode(one.encode(["\u03a9\u2260\u65e5\u672c zebra"])[0]) == "\u03a9\u2260\u65e5\u672c zebra"
    with pytest.raises(UsageError, match="size 261 of a BPE is not allowed: must be at least 262"):
        train_bpe(TEXTS, 261)


def test_a_character_that_was_never_seen_is_unknown():
    tokenizer = character_tokenizer(["abc"])
    assert tokenizer.encode(["azc"])[0].tolist() == [6, SPECIAL.index("[UNK]"), 8]


def test_a_vocabulary_of_another_size_is_refused(tmp_path):
    (tmp_path / "encoder.json").write_text(json.dumps({"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3}))
    (tmp_path / "vocab.bpe").write_text("#version: 0.2\na b\n")
    with pytest.raises(RunError, match="found 4 tokens; expected 50,257"):
        gpt2_tokenizer(tmp_path)
    (tmp_path / "vocab.bpe").write_text("#version: 0.2\na b c\n")
    with pytest.raises(RunError, match=r"vocab.bpe: found a line that is no pair of tokens"):
        gpt2_tokenizer(tmp_path)
    (tmp_path / "encoder.json").write_text("{")
    with pytest.raises(RunError, match=r"encoder.json: does not parse .*; expected JSON"):
        gpt2_tokenizer(tmp_path)
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n")
    with pytest.raises(RunError, match="found 7 tokens; expected 30,522"):
        bert_tokenizer(tmp_path)


def test_a_missing_tokenizer_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("LIONKIT_CACHE", str(tmp_path))
    with pytest.raises(RunError, match='"gpt2-bpe" is not here: lionkit data fetch gpt2-bpe'):
        gpt2_tokenizer()
    with pytest.raises(RunError, match=r"found none of vocab.txt, vocab.json; expected one of them"):
        bert_tokenizer(tmp_path)
    with pytest.raises(RunError, match=r"gone.json: not found"):
        load_tokenizer(tmp_path / "gone.json")
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(RunError, match=r"bad.json: does not load .*; expected a tokenizer.json"):
        load_tokenizer(tmp_path / "bad.json")


def test_a_tokenizer_without_the_special_tokens_is_refused():
    from tokenizers import Tokenizer as Backend
    from tokenizers import models

    plain = Tokenizer("plain", Backend(models.WordLevel({"a": 0, "<|endoftext|>": 1})))
    with pytest.raises(UsageError, match=r'tokenizer "plain": has no \[PAD\], \[CLS\], \[SEP\], \[MASK\]'):
        plain.special()
    with pytest.raises(UsageError, match="one of them must end a document"):
        Tokenizer("plain", Backend(models.WordLevel({"a": 0})))
