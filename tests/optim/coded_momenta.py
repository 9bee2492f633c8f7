"""Parameters whose momenta are codes and one whose is not, and their momenta as they are and decoded."""

import pytest

from lionkit import momentum

WIDTHS = pytest.mark.parametrize("width", ["int8", "int4"])
SHAPES = [(64, 65), (5, 3), (4097,)]  # codes, a small one in float32, codes with a short last block


def state_of(optimizer, params):
    return [tensor for param in params for tensor in optimizer.state[param].values()]


def decoded(optimizer, params):
    return [momentum.decode_state(optimizer.state[param], param) for param in params]
