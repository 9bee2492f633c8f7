"""Members whose weights are cut by FSDP2, beside the same ones on one device, on the same gradients."""

from functools import partial

import torch
from members import MATRICES, MEMBERS, SETTINGS, parameters, quadratic
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor

from lionkit import kappa, momentum, optim

# Uneven rows, a bias, a kernel, a single number that one process has alone; FSDP2 takes no 0-dimensional weights.
SHAPES = [(5, 3), (7,), (2, 3, 2, 2), (1,)]
CODED = [(64, 128), (5, 3), (4096,)]  # shards of whole blocks of codes; a small one in float32
MATRIX_KAPPAS = {
    "GroupL2, rows": kappa.GroupL2("rows"),
    "GroupL2, columns": kappa.GroupL2("columns"),
    "Spectral": kappa.Spectral(steps=4, adjust="match_rms_adamw"),
    "Spectral, exact": kappa.Spectral(steps=None),
}
KAPPAS = {
    "Arctan": kappa.Arctan(0.4),
    "Cautious": kappa.Cautious(0.3),
    "Entropy": kappa.Entropy(0.7),
    "GroupL2": kappa.GroupL2(),
    "HalfSquaredL2": kappa.HalfSquaredL2(),
    "Huber": kappa.Huber(0.3),
    "LInf": kappa.LInf(),
    "Lp": kappa.Lp(2.5),
    "Relativistic": kappa.Relativistic(0.7),
    "TopK": kappa.TopK(1),
    "TruncatedL1": kappa.TruncatedL1(0.2),
}
BFLOAT16 = {"dtype": torch.bfloat16}
OTHERS = {
    "bfloat16 momentum": ({}, partial(optim.Lion, betas=(0.8, 0.95), momentum_dtype="bfloat16")),
    "first gradient, ascending": ({}, partial(optim.Lion, momentum_init="gradient", maximize=True)),
    "tensor lr": ({}, lambda params, **settings: optim.Lion(params, **{**settings, "lr": torch.tensor(0.01)})),
    "foreach": ({}, partial(optim.Lion, betas=(0.8, 0.95), foreach=True)),
    "reference": ({}, partial(optim.Lion, betas=(0.8, 0.95), foreach=False)),
    "nearest": (BFLOAT16, partial(optim.Lion, betas=(0.8, 0.95), momentum_dtype="float32")),
    "kahan": (BFLOAT16, partial(optim.Lion, betas=(0.8, 0.95), weight_rounding="kahan")),
    "stochastic": (BFLOAT16, partial(optim.Lion, weight_rounding="stochastic", seed=3, foreach=False)),
    "stochastic, CautiousLion": (
        BFLOAT16,
        partial(optim.CautiousLion, weight_rounding="stochastic", seed=3, foreach=False),
    ),
    "kahan, Spectral": (
        {**BFLOAT16, "shapes": MATRICES},
        partial(optim.LionK, kappa=kappa.Spectral(), weight_rounding="kahan"),
    ),
    "cautious decay, Lp": ({}, partial(optim.LionK, kappa=kappa.Lp(2.5), weight_decay_mode="cautious")),
    "mask, Huber": ({}, partial(optim.LionK, kappa=kappa.Huber(0.3), direction=optim.CautiousMask("clamp_1e-3"))),
    "IGT, Huber": ({}, partial(optim.LionK, kappa=kappa.Huber(0.3), gradient=optim.IGT())),
    "MARS without a norm": ({}, partial(optim.MARSLion, gamma=0.1, max_norm=float("inf"))),
    **{
        f"{width}, {name}": ({"shapes": CODED}, partial(make, momentum_dtype=width, seed=3, foreach=False))
        for width in ("int8", "int4")
        for name, make in {
            "Lion": partial(optim.Lion, betas=(0.8, 0.95)),
            "first gradient": partial(optim.Lion, momentum_init="gradient"),
            "Lp": partial(optim.LionK, kappa=kappa.Lp(2.5)),
            "CautiousLion": optim.CautiousLion,
        }.items()
    },
}
CASES = {
    **{name: ({"shapes": MATRICES} if name == "Muon" else {}, make) for name, make in MEMBERS.items()},
    **{name: ({"shapes": MATRICES}, partial(optim.LionK, kappa=it)) for name, it in MATRIX_KAPPAS.items()},
    **{name: ({}, partial(optim.LionK, betas=(0.8, 0.95), kappa=it)) for name, it in KAPPAS.items()},
    **OTHERS,
}
del CASES["MLorcLion"]  # refused: see `test_what_cannot_be_cut_is_refused`


class Bowl(nn.Module):
    """The quadratic of `members` as a model, whose weights FSDP2 gathers before they are read."""

    def __init__(self, shapes=SHAPES, dtype=torch.float32):
        super().__init__()
        self.weights = nn.ParameterList(parameters(shapes, dtype))
        self.draw = quadratic(list(self.weights), noise=0.5)[1]

    def forward(self, shifts):
        return quadratic(list(self.weights))[0](shifts)


def cut(bowl, mesh):
    return fully_shard(bowl, mesh=mesh)


def train(optimizer, bowl, steps):
    """Go some steps on; every process has the whole batch, so that the mean of their gradients is each one's."""
    for _ in range(steps):
        shifts = bowl.draw()

        def closure(shifts=shifts):
            optimizer.zero_grad()
            loss = bowl(shifts)
            loss.backward()
            return loss

        optimizer.step(closure)


def whole(tensor):
    return tensor.detach().full_tensor() if isinstance(tensor, DTensor) else tensor.detach()


def kept(optimizer, bowl):
    """Return weights and decoded momenta, whole."""
    weights = [whole(param) for param in bowl.weights]
    return weights + [whole(momentum.decode_state(optimizer.state[param], param)) for param in bowl.weights]


def walk(name, mesh=None, steps=6):
    """Train a case from its beginning, on one device or cut over a mesh."""
    options, make = CASES[name]
    bowl = Bowl(**options)
    if mesh is not None:
        cut(bowl, mesh)
    optimizer = make(bowl.parameters(), **SETTINGS)
    train(optimizer, bowl, steps)
    return kept(optimizer, bowl)


def walk_all(rank, names, shape):
    """Return, of each case, what it has alone and what the mesh has, or why not."""
    axes = ("replicas", "shards")[-len(shape) :]
    mesh = init_device_mesh("cpu", shape, mesh_dim_names=axes)
    return {name: (walk(name), walk(name, mesh)) for name in names}
