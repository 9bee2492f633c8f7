"""What a user meets whose data are missing or damaged: one line with the way to go on, as the command prints it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import word_recipes
from typer.testing import CliRunner

from lionkit_lab.cli import app


def lionkit(*arguments: object, code: int) -> str:
    """Run the command; return the line of its error."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return error_of(result.stderr, result.exit_code, code)


def process(folder: Path, *arguments: object, code: int) -> str:
    """The same in a process of its own, as a user runs it, on a machine without a network."""
    environment = os.environ | {"LIONKIT_CACHE": str(folder / "cache"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "lionkit_lab", *map(str, arguments)]
    life = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return error_of(life.stderr, life.returncode, code)


def error_of(output: str, found: int, code: int) -> str:
    assert found == code, output
    assert "Traceback" not in output
    lines = [line for line in output.splitlines() if line.startswith("error: ")]
    assert len(lines) == (code > 0), output
    return lines[0].removeprefix("error: ") if lines else ""


@pytest.fixture(autouse=True)
def _nothing_is_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIONKIT_CACHE", str(tmp_path / "cache"))


def text(folder: Path, data="texts", task="language", tokenizer="bpe-270") -> Path:
    (folder / "texts").mkdir(exist_ok=True)
    for number in range(4):
        (folder / "texts" / f"{number}.txt").write_text("The cat sat. It was fat. " * 20)
    return word_recipes.write(folder, data, task, tokenizer)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["cifar10"], 1, 'data set "cifar10" is not here: lionkit data fetch cifar10  (138.9 MB)'),
        (["sotu-gpt2"], 1, 'data set "sotu" is not here: lionkit data fetch sotu  (39.4 MB)'),
        (["fashion-mnist", "--set", "task.data=nowhere"], 1, "data nowhere: not found; expected IDX files, a CIFAR"),
        (["moby-dick", "--set", "task.data=gone.txt"], 1, "data file gone.txt: not found"),
        (["paper/vit-s-cifar10"], 2, "checkpoint vit-small-patch16-224: not found; bring it by: hf download"),
    ],
)
def test_data_that_are_missing_name_what_brings_them(tmp_path, arguments, code, message):
    assert lionkit("train", *arguments, code=code).startswith(message)


def test_without_a_network_a_data_set_of_the_hub_says_what_to_do(tmp_path):
    found = process(tmp_path, "train", "paper/resnet18-cifar100", code=1)
    advice = "; without a network, load it elsewhere and give the folder of its files instead of the name"
    assert re.fullmatch(f'data set "uoft-cs/cifar100" cannot be loaded: .*{advice}', found), found


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        ({"tokenizer": "gpt2"}, 1, 'data set "gpt2-bpe" is not here: lionkit data fetch gpt2-bpe'),
        (
            {"tokenizer": "gtp2"},
            2,
            'task.tokenizer: "gtp2" is not known: must be gpt2, bert, bpe-N or a tokenizer.json',
        ),
        ({"tokenizer": "mine.json"}, 1, "data file mine.json: not found"),
        ({"data": "gone"}, 1, "data file gone: not found"),
        (
            {"task": "masked-language", "tokenizer": "gpt2.json"},
            2,
            'tokenizer "gpt2": has no [PAD], [CLS], [SEP], [MASK]; masked language models need them',
        ),
    ],
)
def test_a_tokenizer_or_a_text_that_is_missing_is_named(tmp_path, changed, code, message):
    if changed["tokenizer" if "tokenizer" in changed else "data"] == "gpt2.json":
        from tokenizers import Tokenizer, models

        Tokenizer(models.WordLevel({"<|endoftext|>": 0, "The": 1}, unk_token="<|endoftext|>")).save(
            str(tmp_path / "gpt2.json")
        )
    assert lionkit("train", text(tmp_path, **changed), code=code).startswith(message)


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path):
    import pyarrow
    from pyarrow.parquet import write_table

    (tmp_path / "rows").mkdir()
    write_table(pyarrow.table({"content": ["a b"] * 4, "id": [1] * 4}), tmp_path / "rows" / "a.parquet")
    found = lionkit("train", text(tmp_path, data="rows"), code=2)
    assert found == 'data file rows/a.parquet: column "text" is not there; its columns: content, id'
    lionkit("train", text(tmp_path, data="rows"), "--set", "task.column=content", "--dry-run", code=0)


def test_a_damaged_shard_is_mended_by_what_the_line_says(tmp_path):
    recipe = text(tmp_path)
    process(tmp_path, "train", recipe, "--out", "one", code=0)
    shard = next((tmp_path / "cache" / "tokens").glob("texts-*/shard-00000.bin"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    found = lionkit("train", recipe, "--out", "two", code=1)
    assert found.startswith(f"shard {shard} is damaged: found sha256 ")
    assert found.endswith("delete shard-00000.bin and run the same command again: it is made anew")
    shard.unlink()
    lionkit("train", recipe, "--out", "two", code=0)
    assert shard.read_bytes() == whole
