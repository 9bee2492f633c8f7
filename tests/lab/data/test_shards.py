"""Token shards: every token once and in order, whoever is killed; damage and full disks are one line."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import killed_tokenise
import numpy as np
import pytest
import torch
from killed_tokenise import TEXTS

from lionkit_lab.data.language import Passages, TokenShards, Windows, character_tokenizer, tokenise, train_bpe
from lionkit_lab.errors import RunError, UsageError

TOKENIZER = character_tokenizer(TEXTS)
STREAM = np.concatenate([np.append(ids, TOKENIZER.end) for ids in TOKENIZER.encode(TEXTS)])


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


@pytest.fixture
def whole(tmp_path):
    return killed_tokenise.tokens(tmp_path / "whole")


def test_the_shards_are_one_sequence(whole):
    assert len(whole.index.shards) > 5
    assert all(100 <= shard.tokens < 200 for shard in whole.index.shards[:-1])
    assert len(whole) == len(STREAM)
    np.testing.assert_array_equal(whole.read(0, len(whole)), STREAM)
    starts = [0, *np.cumsum([shard.tokens for shard in whole.index.shards])]
    for start in {*starts, 1, 57, len(whole) - 1}:
        for stop in range(start, min(start + 300, len(whole)), 7):
            np.testing.assert_array_equal(whole.read(start, stop), STREAM[start:stop])


def test_the_ends_of_the_documents_are_known(whole):
    expected = np.cumsum([len(text) + 1 for text in TEXTS])
    np.testing.assert_array_equal(whole.ends(), expected)
    assert set(STREAM[expected - 1]) == {TOKENIZER.end}


@pytest.mark.parametrize("moment", [2, 5, 12, 24])
def test_a_process_that_is_killed_anywhere_loses_nothing(whole, tmp_path, moment):
    """Killed before its n-th change of the disk, and again before the n-th of its next life."""
    folder = tmp_path / "killed"
    for _ in range(2):
        life = subprocess.run([sys.executable, killed_tokenise.__file__, folder, str(moment)], check=False)
        assert life.returncode == -signal.SIGKILL
    killed_tokenise.tokens(folder)
    expected = files_of(whole.folder)
    assert {name: content for name, content in files_of(folder).items() if name in expected} == expected


def test_what_is_done_is_not_done_again(whole):
    class Gone(Passages.__mro__[1]):
        name = "made"

        def identity(self):
            return Passages("made", TEXTS).identity()

        def documents(self, start=0):
            raise AssertionError("read again")

        def __len__(self):
            return len(TEXTS)

    assert len(tokenise(Gone(), TOKENIZER, whole.folder)) == len(STREAM)


def test_processes_that_ask_at_once_get_the_same(tmp_path, whole):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(killed_tokenise.tokens, [tmp_path / "shared"] * 4))
    assert files_of(tmp_path / "shared") == files_of(whole.folder)


def test_progress_is_told_in_documents(tmp_path):
    heard = []
    corpus = Passages("made", TEXTS)
    tokenise(corpus, TOKENIZER, tmp_path, shard_tokens=100, tick=lambda *numbers: heard.append(numbers))
    assert heard[-1] == (40, 40)
    assert heard == sorted(set(heard))


@pytest.mark.parametrize("name", ["shard-00002.bin", "shard-00001.ends"])
def test_a_damaged_shard_is_named_and_mended(whole, name):
    before = files_of(whole.folder)
    path = whole.folder / name
    content = bytearray(before[name])
    content[-3] ^= 1
    path.write_bytes(content)
    advice = f"delete {name} and run the same command again: it is made anew"
    with pytest.raises(RunError, match=f"{name} is damaged: found sha256 .*; expected .*; {advice}"):
        TokenShards(whole.folder)
    assert len(TokenShards(whole.folder, verify=False)) == len(STREAM)
    path.write_bytes(content[:-8])
    with pytest.raises(RunError, match=f"{name} is damaged: found {len(content) - 8} bytes; expected {len(content)}"):
        TokenShards(whole.folder, verify=False)
    path.unlink()
    with pytest.raises(RunError, match=f"{name} is damaged: found no such file"):
        TokenShards(whole.folder)
    killed_tokenise.tokens(whole.folder)
    assert files_of(whole.folder) == before


def test_a_damaged_index_is_named(whole, tmp_path):
    path = whole.folder / "index.json"
    content = path.read_text()
    for damaged, message in (
        (content[:-30], "is damaged: .*delete"),
        (content.replace('t": 1', 't": 9'), "format 9; exp"),
    ):
        path.write_text(damaged)
        with pytest.raises(RunError, match=message):
            TokenShards(whole.folder)
    path.write_text(content.replace('"complete": true', '"complete": false'))
    with pytest.raises(RunError, match="found 40 documents, and not all; run the same command again"):
        TokenShards(whole.folder)
    with pytest.raises(RunError, match="found no index; run the same command again"):
        TokenShards(tmp_path / "nowhere")


def test_a_full_disk_is_one_line_and_the_work_goes_on(tmp_path, whole):
    folder = tmp_path / "full"
    folder.mkdir()
    full = folder / "shard-00003.bin.tmp"
    full.symlink_to("/dev/full")
    with pytest.raises(RunError, match=r"cannot be written: No space left on device; .* it goes on from here"):
        killed_tokenise.tokens(folder)
    done = {path.name: path.stat().st_mtime_ns for path in folder.glob("shard-*.bin")}
    assert len(done) == 3
    full.unlink()
    killed_tokenise.tokens(folder)
    assert files_of(folder) == files_of(whole.folder)
    assert {name: (folder / name).stat().st_mtime_ns for name in done} == done


def test_a_folder_of_other_tokens_is_refused(whole):
    with pytest.raises(RunError, match="found tokens of made by characters; expected other by characters; delete it"):
        tokenise(Passages("other", ("a b c",)), TOKENIZER, whole.folder)
    with pytest.raises(RunError, match="by characters; expected made by bpe-262; delete it or give another"):
        tokenise(Passages("made", TEXTS), train_bpe(TEXTS, 262), whole.folder)
    with pytest.raises(RunError, match="another content or vocabulary of the same name"):
        tokenise(Passages("made", TEXTS[1:]), TOKENIZER, whole.folder)


def test_a_corpus_without_documents_is_refused(tmp_path):
    with pytest.raises(RunError, match='corpus "none": found 0 documents; expected text'):
        tokenise(Passages("none", ()), TOKENIZER, tmp_path)


def test_by_default_the_shards_are_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LIONKIT_CACHE", str(tmp_path))
    shards = tokenise(Passages("some/name", TEXTS), TOKENIZER)
    assert shards.folder.parent == tmp_path / "tokens"
    assert shards.folder.name.startswith("some-name-characters-")
    assert shards.file.source == "some/name by characters"


def test_a_large_vocabulary_gets_wider_tokens(tmp_path):
    from tokenizers import Tokenizer as Backend
    from tokenizers import models, pre_tokenizers

    from lionkit_lab.data.language import Tokenizer

    words = {f"w{number}": number for number in range(70_000)} | {"<|endoftext|>": 70_000}
    backend = Backend(models.WordLevel(words))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    shards = tokenise(Passages("wide", ("w3 w69999", "w65536")), Tokenizer("words", backend), tmp_path)
    assert shards.index.dtype == "uint32"
    assert shards.read(0, 5).tolist() == [3, 69_999, 70_000, 65_536, 70_000]


def test_windows_predict_every_token_once(whole):
    windows = Windows(whole, 33)
    assert len(windows) == (len(STREAM) - 1) // 33
    batch = windows.batch(torch.arange(len(windows)))
    np.testing.assert_array_equal(batch[:, :-1].flatten(), STREAM[: 33 * len(windows)])
    np.testing.assert_array_equal(batch[:, 1:].flatten(), STREAM[1 : 33 * len(windows) + 1])
    assert batch.dtype == torch.int64
    assert torch.equal(windows.window(4), batch[4])
    for length in (0, len(STREAM)):
        with pytest.raises(
            UsageError, match=rf"window of {length} tokens is not allowed: must be in \[1, {len(STREAM) - 1}\]"
        ):
            Windows(whole, length)
