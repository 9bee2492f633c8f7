"""Documents by name, through the library `datasets`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, final

from lionkit_lab.data._hub import column, load_hub
from lionkit_lab.data.language._corpus import Corpus

if TYPE_CHECKING:
    from datasets import Dataset

_ROWS = 256  # read at a time


@final
class HubText(Corpus):
    """The rows of a split, one document each.

    Args:
        data: The split.
        name: What it is called.
        column_: The column of the text.

    Raises:
        UsageError: The split does not have the column.
    """

    def __init__(self, data: "Dataset", name: str, column_: str = "text") -> None:
        self.name = name
        self._data, self._column = data, column(data, name, column_)

    def identity(self) -> str:
        """Return the library's fingerprint of the split, its rows and the column."""
        return f"{self._data._fingerprint} {len(self)} {self._column}"

    def documents(self, start: int = 0) -> Iterator[str]:
        """Read the rows."""
        for first in range(start, len(self), _ROWS):
            yield from (text or "" for text in self._data[first : first + _ROWS][self._column])

    def __len__(self) -> int:
        return self._data.num_rows


def load_hub_text(where: str, column_: str) -> tuple[Corpus, Corpus | None]:
    """Load the training documents of ``datasets:NAME``, and those of the test, or None without such a split.

    Raises:
        UsageError: It does not have the column.
        RunError: It cannot be loaded.
    """
    train, test, _ = load_hub(where)
    return HubText(train, where, column_), None if test is None else HubText(test, where, column_)
