"""A recipe for a language task that trains in a second."""

from pathlib import Path

TEXT = """
name = "words"
seed = 2
[task]
name = "{task}"
data = "{data}"
tokenizer = "{tokenizer}"
context = 16
[model]
name = "{model}"
width = 16
layers = 1
heads = 2
[optimizer]
name = "lion"
lr = 3e-3
[training]
steps = 6
batch_size = 7
[logging]
every = 2
batches = 3
batch_size = 5
"""
MODELS = {"language": "gpt2", "masked-language": "bert"}


def write(folder: Path, data: object, task: str = "language", tokenizer: str = "bpe-280") -> Path:
    path = folder / "words.toml"
    path.write_text(TEXT.format(task=task, data=data, tokenizer=tokenizer, model=MODELS[task]))
    return path
