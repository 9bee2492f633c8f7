"""The losses of the tasks, as functions of a model and a batch alone; every value is a mean over the batch's rows."""

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from lionkit_lab.data.language import IGNORED
from lionkit_lab.tasks._samples import Batch

_INPUTS = ("input_ids", "token_type_ids", "attention_mask")


def classification(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Return the mean cross-entropy of images (b, channels, height, width) and labels (b,)."""
    images, labels = batch
    return {"loss": functional.cross_entropy(model(pixel_values=images).logits, labels)}


def next_token(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Return the mean cross-entropy of the next character or token, of windows (b, context + 1)."""
    (windows,) = batch
    logits = model(input_ids=windows[:, :-1]).logits
    return {"loss": functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())}


def masked_tokens(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """Return the loss of pairs of segments, its two summands, and the shares of hidden tokens and orders named first.

    The batch is BERT's three inputs and the hidden tokens, each (b, context), and the order of the segments, (b,).
    """
    *inputs, labels, order = batch
    answer = model(**dict(zip(_INPUTS, inputs, strict=True)))
    scores = answer.prediction_logits
    masked = functional.cross_entropy(scores.transpose(1, 2), labels, reduction="none", ignore_index=IGNORED)
    hidden = labels != IGNORED
    counts = hidden.sum(dim=1).clamp_min(1)
    masked_loss = (masked.sum(dim=1) / counts).mean()
    order_loss = functional.cross_entropy(answer.seq_relationship_logits, order)
    named = ((scores.argmax(dim=2) == labels) & hidden).sum(dim=1) / counts
    ordered = (answer.seq_relationship_logits.argmax(dim=1) == order).float()
    return {
        "loss": masked_loss + order_loss,
        "masked_loss": masked_loss,
        "order_loss": order_loss,
        "masked_accuracy": named.mean(),
        "order_accuracy": ordered.mean(),
    }


LOSSES: dict[str, Callable[[nn.Module, Batch], dict[str, Tensor]]] = {
    "images": classification,
    "characters": next_token,
    "language": next_token,
    "masked-language": masked_tokens,
}
"""By the name that a recipe has for its task; ``loss`` is in nats."""
