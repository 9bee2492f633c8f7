"""How wide the first weights of a transformer are spread."""

from lionkit_lab.recipe import BERT, GPT2, ViT


def standard_deviation(settings: ViT | GPT2 | BERT) -> float:
    """Return the standard deviation of the first weights: the recipe's own, or the one that fits the width.

    The published 0.02 of GPT-2, BERT and ViT belongs to their width of 768. Layers pass signals of the same size
    at any width when it scales as 1/sqrt(width); at width 64, 0.02 would hold every optimizer for a hundred steps
    at the frequencies of the single characters.
    """
    return settings.init_std or 0.02 * (768 / settings.width) ** 0.5
