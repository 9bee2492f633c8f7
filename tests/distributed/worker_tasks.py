"""A small task for every way in which a parameter can have a gradient, and its batches for every worker."""

import torch
from torch import nn

VOCABULARY = 11


class Net(nn.Module):
    """Odd sizes; rows of the embedding without a gradient, a layer that some workers leave out, and one that all do."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 7)
        self.hidden = nn.Linear(7, 13)
        self.sometimes = nn.Linear(13, 13, bias=False)
        self.never = nn.Linear(3, 5)
        self.out = nn.Linear(13, 1)

    def forward(self, tokens, detour):
        x = torch.tanh(self.hidden(self.embedding(tokens)))
        return self.out(x + self.sometimes(x) if detour else x).squeeze(-1)


def make_net(dtype=torch.float32, seed=5):
    torch.manual_seed(seed)
    return Net().to(dtype)


def batch_of(worker, step, micro=0, dtype=torch.float32):
    """Tokens, their targets and the way: as many samples as the worker's number and 2, the last tokens in none."""
    generator = torch.Generator().manual_seed(10_000 * step + 100 * worker + micro)
    tokens = torch.randint(0, VOCABULARY - 3, (2 + worker,), generator=generator)
    targets = torch.sin(tokens.to(dtype)) + 0.1 * torch.randn(2 + worker, generator=generator).to(dtype)
    return tokens, targets, (worker + step) % 3 == 0


def loss_of(model, batch):
    tokens, targets, detour = batch
    return (model(tokens, detour) - targets).square().mean()
