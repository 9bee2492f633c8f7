"""BERT's samples: what is hidden and how often, where segments are cut, and that nothing depends on the batch."""

import math

import numpy as np
import pytest
import torch

from lionkit_lab.data._random import generator
from lionkit_lab.data.language import (
    IGNORED,
    Passages,
    SentencePairs,
    character_tokenizer,
    mask_tokens,
    tokenise,
    train_bpe,
)
from lionkit_lab.data.language._sentence_pairs import sentence_ends
from lionkit_lab.errors import RunError, UsageError

# Sentences of different lengths; the last document is too short for a sample.
DOCUMENTS = (
    *("".join("abcdefghij"[n % 7 :][: 1 + (n * k) % 8] + ".!?"[k % 3] for k in range(1, 9 + n)) for n in range(12)),
    "abc",
)
TOKENIZER = character_tokenizer(DOCUMENTS)
LENGTH = 30


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    return tokenise(Passages("made", DOCUMENTS), TOKENIZER, tmp_path_factory.mktemp("shards"), shard_tokens=150)


@pytest.fixture(scope="module")
def pairs(shards):
    return SentencePairs(shards, TOKENIZER, LENGTH, share=0.2)


def restored(pair):
    """The tokens before any was hidden."""
    return np.where(pair.labels == IGNORED, pair.input_ids, pair.labels)


def segments(pair):
    tokens, special = restored(pair), TOKENIZER.special()
    used = int(pair.attention_mask.sum())
    border = used - int(pair.token_type_ids.sum())
    assert tokens[0] == special.start
    assert tokens[border - 1] == tokens[used - 1] == special.separator
    assert set(tokens[used:]) <= {special.pad}
    return [TOKENIZER.decode(part) for part in (tokens[1 : border - 1], tokens[border : used - 1])]


def test_samples_are_the_pieces_of_the_documents(pairs):
    """Put back in order, the segments of a document are its text, but for a rest of fewer than 8 tokens."""
    room = LENGTH - 3
    expected = [text[at : at + room] for text in DOCUMENTS for at in range(0, len(text), room)]
    expected = [piece for piece in expected if len(piece) >= 8]
    assert len(pairs) == len(expected) >= 30
    for index, piece in enumerate(expected):
        pair = pairs.sample(index, 5, 2)
        first, second = segments(pair)
        assert (second + first if pair.swapped else first + second) == piece
        assert min(len(first), len(second)) >= 1
        earlier = second if pair.swapped else first
        if any(letter in ".!?" for letter in piece[:-1]):
            assert earlier[-1] in ".!?"


def test_half_of_the_pairs_are_swapped_and_the_cuts_vary(pairs):
    drawn = [pairs.sample(index, 5, epoch) for index in range(len(pairs)) for epoch in range(40)]
    swapped, count = sum(pair.swapped for pair in drawn), len(drawn)
    assert abs(swapped - count / 2) < 4 * math.sqrt(count) / 2
    borders = {int(pair.attention_mask.sum() - pair.token_type_ids.sum()) for pair in drawn}
    assert len(borders) > 10


def test_the_chosen_tokens_meet_the_fates_that_the_paper_gives_them(pairs):
    """15% in the paper, 20% here; of them 80% hidden, 10% random, 10% as they are. Never a special token."""
    special, counts = TOKENIZER.special(), np.zeros(4)
    for epoch in range(150):
        for index in range(len(pairs)):
            pair = pairs.sample(index, 9, epoch)
            chosen = pair.labels != IGNORED
            used = int(pair.attention_mask.sum())
            assert chosen.sum() == max(1, round(0.2 * (used - 3)))
            before = pair.labels[chosen]
            assert not set(before) & {special.pad, special.start, special.separator, special.mask}
            seen = pair.input_ids[chosen]
            masked, same = seen == special.mask, seen == before
            counts += masked.sum(), same.sum(), (~masked & ~same).sum(), chosen.sum()
    size, n = len(TOKENIZER), counts[3]
    # A random token is the mask, or the same token, once in as many as there are.
    for count, share in zip(counts, (0.8 + 0.1 / size, 0.1 + 0.1 / size, 0.1 - 0.2 / size), strict=False):
        assert abs(count - share * n) < 4 * math.sqrt(n * share * (1 - share))


def test_every_place_is_chosen_as_often_as_any_other():
    tokens, maskable = np.arange(100, 140), np.arange(3, 33)
    chosen = np.zeros(40)
    for index in range(4000):
        seen, predicted = mask_tokens(tokens, maskable, 7, 90, generator("mask", 1, 1, index), 0.1)
        assert (predicted != IGNORED).sum() == 3
        assert ((seen == tokens) | (predicted != IGNORED)).all()
        chosen += predicted != IGNORED
    assert chosen[:3].sum() == chosen[33:].sum() == 0
    assert np.abs(chosen[3:33] - 400).max() < 4.5 * math.sqrt(400 * 0.9)


def test_a_batch_is_its_samples_in_any_order(pairs, shards):
    batch = pairs.batch(torch.arange(len(pairs)), 5, 2)
    again = SentencePairs(shards, TOKENIZER, LENGTH, share=0.2).batch(torch.tensor([17, 3]), 5, 2)
    assert set(batch) == {"input_ids", "token_type_ids", "attention_mask", "labels", "next_sentence_label"}
    for name, tensor in batch.items():
        assert tensor.dtype == torch.int64
        assert torch.equal(tensor[[17, 3]], again[name])
    for other in (pairs.batch(torch.arange(len(pairs)), 6, 2), pairs.batch(torch.arange(len(pairs)), 5, 3)):
        assert (other["labels"] != batch["labels"]).any(dim=1).float().mean() > 0.9


def test_sentences_end_in_a_bpe_as_well():
    tokenizer = train_bpe(['He said "no." Then\nhe left.\nWhy? ' * 30], 300)
    ends = {tokenizer.token(id_) for id_ in sentence_ends(tokenizer)}
    assert {".", "?", "!"} <= ends
    assert all(token[0] in ".?!" for token in ends)


def test_what_does_not_fit_is_refused(shards, tmp_path):
    with pytest.raises(UsageError, match="sample of 11 tokens is not allowed: must be at least 12"):
        SentencePairs(shards, TOKENIZER, 11)
    with pytest.raises(RunError, match='found tokens by characters; expected "bpe-262"'):
        SentencePairs(shards, train_bpe(DOCUMENTS, 262), LENGTH)
    short = tokenise(Passages("short", ("abc", "de")), TOKENIZER, tmp_path)
    with pytest.raises(RunError, match="found no document of 8 tokens; expected longer ones"):
        SentencePairs(short, TOKENIZER, LENGTH)
