"""The tokens of a language task."""

from dataclasses import dataclass

from lionkit_lab.data import DataFile
from lionkit_lab.data.language import Tokenizer, TokenShards, load_corpora, named_tokenizer, tokenise
from lionkit_lab.recipe import Language, MaskedLanguage


@dataclass(frozen=True)
class Tokens:
    """A corpus as token shards.

    Attributes:
        tokenizer: What made them.
        shards: Those to train on, and those of the test.
    """

    tokenizer: Tokenizer
    shards: tuple[TokenShards, TokenShards]

    @property
    def files(self) -> tuple[DataFile, ...]:
        """What a manifest says of them."""
        return tuple(shards.file for shards in self.shards)


def load_tokens(task: Language | MaskedLanguage) -> Tokens:
    """Tokenise the data of a task, unless that was done before.

    Raises:
        UsageError: The data, the column or the tokenizer are not known.
        RunError: Something is missing or damaged.
    """
    train, test = load_corpora(task.data, column=task.column, test_share=task.test_share)
    tokenizer = named_tokenizer(task.tokenizer, train)
    return Tokens(tokenizer, (tokenise(train, tokenizer), tokenise(test, tokenizer)))
