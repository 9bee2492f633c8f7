"""Every member in torch's database of optimizers, beside the two entries that `torch_database` puts there."""

from functools import partial

import torch
from members import MEMBERS
from torch.testing._internal.common_optimizers import ErrorOptimizerInput, OptimizerInfo, OptimizerInput, optim_db
from torch_database import HAS_KERNEL, entry, lion_error_inputs

# A seat that is neither kappa's nor the decay's is filled: no derivative, and nothing to capture.
FILLED = {
    *("CLion, tensor", "CLion, model", "CautiousLion", "CautiousLion, eps", "MARSLion", "MARSLion, exact"),
    *("LionVR", "LionIGT", "StoSignSGD", "MLorcLion"),
}
WITHOUT_KERNEL = {"CLion, tensor", "CLion, model", "StoSignSGD", "Muon"}
WITH_CLOSURE = {"MARSLion, exact", "LionVR"}
UNCAPTURED = {"corrected decay"}
_BETA = {"Invalid beta parameter at index 0: -0.1": {"beta": -0.1}}
ERRORS = {
    "Signum": _BETA,
    "Tiger": _BETA,
    "StoSignSGD": _BETA,
    "LionIGT": _BETA,
    "RLion": {"Invalid alpha: 0.0": {"alpha": 0.0}, "Invalid alpha: inf": {"alpha": float("inf")}},
    "CLion, tensor": {"Invalid nu: -0.5": {"nu": -0.5}, "Invalid gate: 'row'": {"gate": "row"}},
    "CLion, coordinate": {"Invalid nu: 1.5": {"nu": 1.5}},
    "CautiousLion": {"Invalid normalisation: 'none'": {"normalisation": "none"}},
    "MARSLion": {**_BETA, "Invalid gamma: -1.0": {"gamma": -1.0}, "Invalid max_norm: 0.0": {"max_norm": 0.0}},
    "MLorcLion": {"Invalid momentum_rank: 0, it must be None or": {"rank": 0}},
    "Muon": {"Invalid momentum: 1.0": {"momentum": 1.0}, "Invalid steps: 0": {"steps": 0}},
}


def _class_of(name):
    """The member itself, or one of its own: chosen by an option, of torch's name, or not for torch's 1 x 1 matrices."""
    member = MEMBERS[name]
    optimizer, own = getattr(member, "func", member), getattr(member, "keywords", {})
    if name == optimizer.__name__ and name not in ("Muon", "MLorcLion"):
        return optimizer, own
    defaults = {"Muon": {}, "MLorcLion": {"rank": 1}}.get(name, own)

    def init(self, params, *args, **options):
        optimizer.__init__(self, params, *args, **{**defaults, **options})

    words = (word[0].upper() + word[1:] for word in name.replace(",", "").split())
    return type("Lionkit" + "".join(words), (optimizer,), {"__init__": init}), own


def _inputs(name, own, device, dtype=None):
    """Made anew at every call: a scheduler writes into a tensor lr."""
    named = {
        "default": {},
        "own": {"lr": 0.01, "weight_decay": 0.3, **own},
        "maximize": {"lr": 0.05, "weight_decay": 0.005, "maximize": True, **own},
        "tensor lr": {"lr": torch.tensor(2**-6), "weight_decay": 0.25, **own},
    }
    if name not in FILLED | UNCAPTURED:
        named["capturable"] = {"lr": torch.tensor(0.01), "weight_decay": 0.1, "capturable": True}
    return [OptimizerInput(params=None, kwargs=kwargs, desc=desc) for desc, kwargs in named.items()]


def _error_inputs(name, device, dtype):
    """Lion's that are no member's own, and its own."""
    lions = [given for given in lion_error_inputs(device, dtype) if "betas" not in given.optimizer_error_input.kwargs]
    return lions + [
        ErrorOptimizerInput(OptimizerInput(params=None, kwargs=kwargs), error_type=ValueError, error_regex=regex)
        for regex, kwargs in ERRORS.get(name, {}).items()
    ]


def _entry(name):
    optimizer, own = _class_of(name)
    impls = ["foreach"]
    impls += ["differentiable"] if name not in FILLED else []
    impls += ["fused"] if HAS_KERNEL and name not in WITHOUT_KERNEL else []
    return entry(
        optimizer,
        inputs=partial(_inputs, name, own),
        error_inputs=partial(_error_inputs, name),
        supported_impls=tuple(impls),
        step_requires_closure=name in WITH_CLOSURE,
        supports_complex=name != "Muon",
    )


ENTRIES: dict[str, OptimizerInfo] = {name: _entry(name) for name in MEMBERS if name not in ("Lion", "LionK")}
optim_db.extend(ENTRIES.values())
