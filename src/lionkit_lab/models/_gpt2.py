"""GPT-2."""

from torch import nn

from lionkit_lab.models._initial import standard_deviation
from lionkit_lab.recipe import GPT2


def gpt2(settings: GPT2, vocabulary: int, context: int) -> nn.Module:
    """Build GPT-2: ``input_ids`` (batch, context) -> ``.logits`` (batch, context, vocabulary).

    Args:
        settings: Width, layers, heads, dropout.
        vocabulary: Distinct tokens, at least 1.
        context: Most tokens in a window, at least 1.
    """
    from transformers import GPT2Config, GPT2LMHeadModel  # seconds to import

    config = GPT2Config(
        vocab_size=vocabulary,
        n_positions=context,
        n_embd=settings.width,
        n_layer=settings.layers,
        n_head=settings.heads,
        resid_pdrop=settings.dropout,
        embd_pdrop=settings.dropout,
        attn_pdrop=settings.dropout,
        initializer_range=standard_deviation(settings),
        use_cache=False,
        # The defaults are tokens of the 50k vocabulary, which do not exist here.
        bos_token_id=None,
        eos_token_id=None,
    )
    return GPT2LMHeadModel(config)
