"""The masks of a masked language model."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import Generator

IGNORED = -100  # what cross-entropy leaves out
_MASKED, _RANDOM = 0.8, 0.1  # shares of the chosen tokens; the rest stay as they are


def mask_tokens(
    tokens: "np.ndarray", maskable: "np.ndarray", mask: int, vocabulary: int, random: "Generator", share: float = 0.15
) -> tuple["np.ndarray", "np.ndarray"]:
    """Choose tokens that are to be predicted, and hide most of them.

    Of the chosen ones 80% become ``mask``, 10% a token drawn from the whole vocabulary, and 10% stay: a model cannot
    tell those apart from tokens that were not chosen.

    Args:
        tokens: (n,), int64.
        maskable: Places in [0, n) that may be chosen, (m,), each once: those of the special tokens are left out.
        mask: The token that hides another.
        vocabulary: Size of the vocabulary.
        random: The sample's own numbers.
        share: Share of ``maskable`` that is chosen, in (0, 1]; the count is rounded, and at least 1.

    Returns:
        The tokens that a model sees, and those that it predicts with -100 elsewhere, both (n,), int64.

    References:
        Devlin et al., "BERT", NAACL 2019, section 3.1 (task 1) and appendix A.1.
    """
    import numpy as np

    count = max(1, round(share * len(maskable)))
    chosen = random.permutation(maskable)[:count]
    fate = random.random(count)
    drawn = random.integers(vocabulary, size=count)
    seen = tokens.copy()
    seen[chosen] = np.where(fate < _MASKED, mask, np.where(fate < _MASKED + _RANDOM, drawn, tokens[chosen]))
    predicted = np.full_like(tokens, IGNORED)
    predicted[chosen] = tokens[chosen]
    return seen, predicted
