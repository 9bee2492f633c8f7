"""Documents from text files, parquet, WikiText and by name: the same texts, in order, from any of them on."""

import gzip
import os

import pytest

from lionkit_lab.data.language import (
    Articles,
    Passages,
    TextFiles,
    load_corpora,
    load_test,
    named_tokenizer,
    split,
)
from lionkit_lab.errors import RunError, UsageError

TEXTS = [f"Document {number}:\nna\u00efve \u2013 {'word ' * number}\n" for number in range(11)]
WIKITEXT = (
    " \n = Ant = \n \n An ant is small . \n \n = = Body = = \n \n It has six legs . \n = 3 = \n \n"
    " = Bee ( insect ) = \n \n A bee flies . \n \n\u2028 \n = Cat = \n \n A cat does not . \n"
)
ARTICLES = 3


def texts(corpus, start=0):
    return list(corpus.documents(start))


def write(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in names.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_folder_is_split_by_document(tmp_path):
    names = {f"{number:02d}.txt": text for number, text in enumerate(TEXTS)}
    write(tmp_path / "mine", names)
    (tmp_path / "mine" / "03.txt").unlink()
    (tmp_path / "mine" / "03.txt.gz").write_bytes(gzip.compress(TEXTS[3].encode()))
    train, test = load_corpora(tmp_path / "mine", test_share=0.2)
    assert texts(train) + texts(test) == TEXTS
    assert len(test) == 2
    assert texts(train, 7) == TEXTS[7:9]
    assert texts(test, 1) == TEXTS[10:]
    assert train.sha256() != test.sha256()


@pytest.mark.parametrize("test_name", ["test", "validation", "valid"])
def test_a_split_that_the_folder_has_is_kept(tmp_path, test_name):
    write(tmp_path / "train", {"a.txt": "one", "b.txt": "two"})
    write(tmp_path / test_name, {"a.txt": "three"})
    assert [texts(corpus) for corpus in load_corpora(tmp_path)] == [["one", "two"], ["three"]]


def test_a_text_file_is_split_by_position(tmp_path):
    write(tmp_path, {"one.txt": "abcdefghij"})
    train, test = load_corpora(tmp_path / "one.txt", test_share=0.3)
    assert (texts(train), texts(test)) == (["abcdefg"], ["hij"])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"wiki.valid.raw": "v", "wiki.test.raw": "t"}, ["t"]),
        ({"wiki.test.raw": "t"}, ["t"]),
        ({"wiki.train.raw": "w", "wiki.valid.raw": "v", "wiki.test.raw": "t"}, ["t"]),
        ({"wiki.train.raw": "w", "wiki.valid.raw": "v"}, ["v"]),
        ({"a.txt": "a", "b.txt": "b", "train.txt": "c"}, ["a", "b", "c"]),
        ({"a.txt": "a"}, ["a"]),
    ],
)
def test_what_is_named_for_the_test_is_found_alone(tmp_path, names, expected):
    assert texts(load_test(write(tmp_path / "mine", names))) == expected
    (found,) = texts(load_test(write(tmp_path / "wikitext-103", {"wiki.test.raw": "t\n", "wiki.valid.raw": "v\n"})))
    assert found == "t\n"


def test_a_test_is_found_in_a_folder_of_folders_and_is_never_a_part(tmp_path):
    write(tmp_path / "test", {"a.txt": "one", "b.txt": "two"})
    write(tmp_path / "valid", {"a.txt": "three"})
    write(tmp_path, {"README.md": "four"})
    assert texts(load_test(tmp_path)) == ["one", "two"]
    assert texts(load_test(tmp_path / "test")) == ["one", "two"]
    assert texts(load_test(tmp_path / "test" / "a.txt")) == ["one"]
    write(tmp_path / "train", {"a.txt": "five"})
    assert texts(load_test(tmp_path)) == ["one", "two"]
    write(tmp_path / "alone" / "train", {"a.txt": "five"})
    assert texts(load_test(tmp_path / "alone")) == ["five"]
    with pytest.raises(RunError, match="found nothing; expected text files"):
        load_test(write(tmp_path / "empty", {}))


def test_a_test_of_parquet_and_by_name(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    folder = parquet(tmp_path / "p", TEXTS, files=1)
    path = folder / "train-00000-of-00001.parquet"
    assert texts(load_test(folder)) == texts(load_test(path)) == TEXTS
    assert texts(load_test(f"datasets:{folder}")) == TEXTS
    datasets.Dataset.from_dict({"text": TEXTS[:4]}).to_parquet(folder / "test-00000-of-00001.parquet")
    assert texts(load_test(folder)) == texts(load_test(f"datasets:{folder}")) == TEXTS[:4]
    path.unlink()
    assert texts(load_test(folder)) == TEXTS[:4]


def test_an_edit_that_leaves_the_size_makes_another_corpus_and_a_copy_does_not(tmp_path):
    one, two = (write(tmp_path / name, {"a.txt": "abc", "b.txt": "def"}) for name in ("one", "two"))
    os.utime(two / "a.txt", (1, 1))
    before, copy = (TextFiles("mine", sorted(folder.iterdir())).sha256() for folder in (one, two))
    assert before == copy
    (one / "b.txt").write_text("dEf")
    assert TextFiles("mine", sorted(one.iterdir())).sha256() != before
    files = [parquet(tmp_path / str(number), parts, files=1) for number, parts in enumerate((["ab"], ["aB"], ["ab"]))]
    sizes = {path.stat().st_size for folder in files for path in folder.iterdir()}
    hashes = [load_test(path / "train-00000-of-00001.parquet").sha256() for path in files]
    assert len(sizes) == 1
    assert (hashes[0] == hashes[2], hashes[0] == hashes[1]) == (True, False)


@pytest.mark.parametrize("name", ["datasets:a/b:c", "../../..", ".."])
def test_a_vocabulary_is_kept_in_one_folder_of_the_cache(tmp_path, monkeypatch, name):
    monkeypatch.setenv("LIONKIT_CACHE", str(tmp_path / "cache"))
    named_tokenizer("bpe-270", Passages(name, tuple(TEXTS)))
    (folder,) = (tmp_path / "cache" / "tokenizers").iterdir()
    assert [path.name for path in folder.iterdir()] == ["bpe-270.json"]
    assert not set(folder.name) & set("/:")
    assert list(tmp_path.iterdir()) == [tmp_path / "cache"]


def parquet(folder, texts, files=3, group=2, column="text"):
    import pyarrow
    from pyarrow.parquet import write_table

    folder.mkdir(parents=True, exist_ok=True)
    for number in range(files):
        part = texts[number * len(texts) // files : (number + 1) * len(texts) // files]
        table = pyarrow.table({"id": list(range(len(part))), column: part})
        write_table(table, folder / f"train-{number:05d}-of-{files:05d}.parquet", row_group_size=group)
    return folder


def test_parquet_as_openwebtext_has_it(tmp_path):
    train, test = load_corpora(parquet(tmp_path / "openwebtext", TEXTS), test_share=0.1)
    assert texts(train) + texts(test) == TEXTS
    assert len(train) == 10
    for start in range(11):
        assert texts(train, start) == TEXTS[start:10]
    assert texts(test, 1) == []


def test_many_rows_are_read_in_order_from_anywhere(tmp_path):
    many = [f"row {number}" for number in range(2000)]
    (whole, _) = load_corpora(parquet(tmp_path, many, files=2, group=300), test_share=0.001)
    for start in (0, 1, 299, 300, 700, 999, 1000, 1555, 1997):
        assert texts(whole, start) == many[start:1998]


def test_a_parquet_test_split_is_kept(tmp_path):
    parquet(tmp_path, TEXTS[:6], files=1)
    (tmp_path / "train-00000-of-00001.parquet").rename(tmp_path / "test-00000-of-00001.parquet")
    parquet(tmp_path, TEXTS[6:], files=2)
    assert [texts(corpus) for corpus in load_corpora(tmp_path)] == [TEXTS[6:], TEXTS[:6]]


def test_parquet_errors_are_one_line(tmp_path):
    path = parquet(tmp_path / "p", TEXTS, files=1) / "train-00000-of-00001.parquet"
    with pytest.raises(UsageError, match='column "content" is not there; its columns: id, text'):
        load_corpora(path, column="content")
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    with pytest.raises(RunError, match=r"does not open .*; expected a whole parquet file"):
        load_corpora(path)
    middle = bytearray(content)
    middle[4 : len(content) // 3] = bytes(len(content) // 3 - 4)
    path.write_bytes(bytes(middle))
    with pytest.raises(RunError, match=r"does not decode .*; expected a whole parquet file"):
        texts(load_corpora(path)[0])


def test_wikitext_is_put_together_into_articles(tmp_path):
    write(
        tmp_path / "wikitext-103", {"wiki.train.tokens": WIKITEXT, "wiki.test.tokens": " \n = Dog = \n \n A dog . \n"}
    )
    train, test = load_corpora(tmp_path / "wikitext-103")
    found = texts(train)
    assert "".join(found) == WIKITEXT
    assert [article.split(" = ")[1] for article in found] == ["Ant", "Bee ( insect )", "Cat"]
    assert len(train) == ARTICLES
    assert texts(train, 2) == found[2:]
    assert len(test) == 1


def test_wikitext_rows_make_the_same_articles():
    rows = ["" if not line.strip(" ") else line + "\n" for line in WIKITEXT.split("\n")[:-1]]
    by_rows, by_file = (Articles(Passages("w", tuple(parts))) for parts in (rows, [WIKITEXT]))
    assert texts(by_rows) == texts(by_file)


def test_documents_by_name(tmp_path, monkeypatch):
    import datasets

    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    hub = tmp_path / "hub"
    datasets.Dataset.from_dict({"text": TEXTS}).to_parquet(hub / "train-00000-of-00001.parquet")
    train, test = load_corpora(f"datasets:{hub}", test_share=0.2)
    assert texts(train) + texts(test) == TEXTS
    assert texts(train, 5) == TEXTS[5:9]
    with pytest.raises(UsageError, match='column "content" is not there; its columns: text'):
        load_corpora(f"datasets:{hub}", column="content")


def test_a_name_that_cannot_be_loaded_says_what_to_do(monkeypatch, tmp_path):
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    message = 'data set "nobody/nothing" cannot be loaded: .*; without a network, load it elsewhere and give the folder'
    with pytest.raises(RunError, match=message) as caught:
        load_corpora("datasets:nobody/nothing")
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match='data "datasets:" is not allowed: must be datasets:NAME'):
        load_corpora("datasets:")


def test_without_the_library_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(UsageError, match='package "datasets" is missing: pip install datasets'):
        load_corpora("datasets:some/name")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({}, "found nothing; expected text files"),
        ({"a.csv": "x"}, "found a.csv; expected text files"),
        ({"a.txt": "x"}, "found 1 documents; expected 2 or more: one for the test"),
    ],
)
def test_a_folder_without_documents_is_named(tmp_path, names, message):
    with pytest.raises(RunError, match=message):
        load_corpora(write(tmp_path / "mine", names))


def test_other_errors_are_named(tmp_path):
    with pytest.raises(RunError, match=r"gone.txt: not found"):
        load_corpora(tmp_path / "gone.txt")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(RunError, match="found byte 3 that is not UTF-8"):
        texts(TextFiles("latin", [tmp_path / "latin.txt"]))
    with pytest.raises(UsageError, match=r"test_share 1.5 is not allowed: must be in \(0, 1\)"):
        load_corpora(tmp_path, test_share=1.5)
    (tmp_path / "one.txt").write_text("x")
    with pytest.raises(RunError, match="found 1 characters; expected enough to split"):
        load_corpora(tmp_path / "one.txt")


def test_a_split_leaves_a_document_on_each_side():
    for share in (0.001, 0.999):
        train, test = split(Passages("p", ("a", "b", "c")), share)
        assert len(train) >= 1
        assert len(test) >= 1
        assert texts(train) + texts(test) == ["a", "b", "c"]
