"""BERT."""

from torch import nn

from lionkit_lab.models._initial import standard_deviation
from lionkit_lab.recipe import BERT


def bert(settings: BERT, vocabulary: int, context: int) -> nn.Module:
    """Build BERT with the heads of its pre-training.

    ``input_ids``, ``token_type_ids`` and ``attention_mask`` (batch, context) give ``.prediction_logits`` (batch,
    context, vocabulary), for masked tokens, and ``.seq_relationship_logits`` (batch, 2), for the pair of sentences:
    whether the second follows (next-sentence prediction), or which comes first (sentence-order prediction).

    Args:
        settings: Width, layers, heads, dropout.
        vocabulary: Distinct tokens, at least 1.
        context: Most tokens in a window, at least 1.

    References:
        Devlin et al., "BERT", arXiv 1810.04805; Lan et al., "ALBERT", arXiv 1909.11942, for the sentence order.
    """
    from transformers import BertConfig, BertForPreTraining  # seconds to import

    config = BertConfig(
        vocab_size=vocabulary,
        max_position_embeddings=context,
        hidden_size=settings.width,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=4 * settings.width,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=settings.dropout,
        initializer_range=standard_deviation(settings),
        # The default is a row of the embedding without a gradient: every row counts, and characters have no padding.
        pad_token_id=None,
    )
    return BertForPreTraining(config)
