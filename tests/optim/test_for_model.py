"""One optimizer for a whole model, parted by rules."""

import pytest
import torch
from torch import nn

import lionkit
from lionkit import kappa, optim


class Small(nn.Module):
    """An embedding, a tied head, a norm, a convolution, two hidden matrices and a frozen one."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 4)
        self.conv = nn.Conv1d(4, 4, 3)
        self.up = nn.Linear(4, 8)
        self.norm = nn.LayerNorm(8)
        self.down = nn.Linear(8, 4, bias=False)
        self.frozen = nn.Linear(4, 4).requires_grad_(False)
        self.head = nn.Linear(4, 9, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens):
        x = self.conv(self.embed(tokens).mT).mT
        return self.head(self.down(self.norm(self.up(x)).relu()))


def test_the_rules_of_the_split():
    parts = optim.split(Small())
    assert list(parts.matrices) == ["up.weight", "down.weight"]
    assert parts.reasons == {
        "embed.weight": "embedding",
        "conv.weight": "3 dims",
        "conv.bias": "1 dim",
        "up.bias": "1 dim",
        "norm.weight": "1 dim",
        "norm.bias": "1 dim",
    }
    named = optim.split(Small(), rest=["down.*"])
    assert list(named.matrices) == ["up.weight"]
    assert named.reasons["down.weight"] == "by name"


def test_the_output_layer_is_the_last_linear_or_what_the_model_says():
    layers = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3), nn.Linear(3, 2))
    assert optim.split(layers).reasons["2.weight"] == "output layer"
    layers.get_output_embeddings = lambda: layers[0]
    assert optim.split(layers).reasons["0.weight"] == "output layer"
    assert list(optim.split(nn.Linear(2, 3)).matrices) == ["weight"]


def test_one_optimizer_trains_saves_and_resumes(capsys):
    torch.manual_seed(0)
    model, tokens = Small(), torch.randint(9, (16, 7))
    settings = {
        "options": {"lr": 0.02, "weight_decay": 0.1, "momentum": 0.9},
        "fallback_options": {"lr": 0.004, "betas": (0.8, 0.95), "weight_decay": 0.2},
    }
    optimizer = optim.for_model(model, **settings)
    printed = capsys.readouterr().out
    assert "Muon  up.weight     8 x 4" in printed
    assert "Lion  embed.weight  9 x 4      embedding" in printed
    assert "Muon: 2 parameters, 64 weights" in printed
    muon, lion = optimizer.param_groups
    assert type(optimizer) is lionkit.LionK
    assert (muon["kappa"], lion["kappa"]) == (kappa.Spectral(5, "original"), kappa.L1())
    assert (muon["lr"], lion["lr"], lion["weight_decay"]) == (0.02, 0.004, 0.2)
    assert muon["betas"] == pytest.approx((0.81, 0.9))
    assert muon["param_names"] == ["up.weight", "down.weight"]
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(tokens)[:, :, :].flatten(0, 1), tokens[:, 1:-1].flatten())
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    resumed = optim.for_model(model, **settings, verbose=False)
    resumed.load_state_dict(optimizer.state_dict())
    assert capsys.readouterr().out == ""
    assert len(resumed.state) == len(optimizer.state)


def test_other_members_fill_both_sides():
    optimizer = optim.for_model(
        Small(), optim.MLorcLion, optim.Signum, options={"rank": 2}, fallback_options={"beta": 0.7}, verbose=False
    )
    low, rest = optimizer.param_groups
    assert low["noise_step"] != rest["noise_step"]
    assert (low["momentum_rank"], rest["momentum_rank"], rest["betas"]) == (2, None, (0.7, 0.7))


def test_a_pattern_that_matches_nothing_is_refused():
    with pytest.raises(ValueError, match=r"Invalid rest: 'haed\.\*' matches none of the model's 8 parameters"):
        optim.for_model(Small(), rest=["haed.*"])
