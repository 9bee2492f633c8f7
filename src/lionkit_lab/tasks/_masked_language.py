"""Masked language modelling with sentence-order prediction."""

from typing import final

from torch import Tensor, nn

from lionkit_lab import models
from lionkit_lab.data.language import SentencePairs
from lionkit_lab.recipe import BERT, MaskedLanguage, Recipe
from lionkit_lab.tasks._corpus import load_tokens
from lionkit_lab.tasks._losses import masked_tokens
from lionkit_lab.tasks._samples import Batch
from lionkit_lab.tasks._text_task import TextTask
from lionkit_lab.tasks._titles import title_of

_NAMES = ("input_ids", "token_type_ids", "attention_mask", "labels", "next_sentence_label")


@final
class MaskedLanguageModelling(TextTask):
    """Predict hidden tokens, and which of two segments came first.

    The loss of a sample is the mean cross-entropy of its hidden tokens plus that of the order, in nats. BERT's own
    averages over the hidden tokens of a whole batch; this way a batch is the mean of its parts, however it is cut.

    References:
        Devlin et al., "BERT", NAACL 2019, section 3.1; Lan et al., "ALBERT", ICLR 2020, section 3.1.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe)
        assert isinstance(recipe.task, MaskedLanguage)
        self._context = recipe.task.context
        tokens = load_tokens(recipe.task)
        pairs = (SentencePairs(shards, tokens.tokenizer, self._context) for shards in tokens.shards)
        self.train, self.test = (_Pairs(part, recipe.seed) for part in pairs)
        self.data_files = tokens.files
        self._vocabulary = len(tokens.tokenizer)
        self._title = title_of(recipe.task.data, "")
        self._unit = f"pairs of segments of {self._context} tokens"

    def network(self) -> nn.Module:
        """Build the recipe's BERT."""
        assert isinstance(self.recipe.model, BERT)
        return models.bert(self.recipe.model, self._vocabulary, self._context)

    def measure(self, model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the loss, its two summands, and the shares of hidden tokens and of orders that are named first."""
        return masked_tokens(model, batch)


class _Pairs:
    def __init__(self, pairs: SentencePairs, seed: int) -> None:
        self._pairs, self._seed = pairs, seed

    def __len__(self) -> int:
        return len(self._pairs)

    def batch(self, indices: Tensor, epoch: int | None = None) -> Batch:
        # Logging epochs and tests see the masks of seed 0 in every run: they compare the same function.
        seed, drawn = (0, 0) if epoch is None else (self._seed, epoch + 1)
        samples = self._pairs.batch(indices, seed, drawn)
        return tuple(samples[name] for name in _NAMES)
