"""Lion in torch's own database of optimizers: `torch.testing._internal.common_optimizers`, from torch's wheel."""

from copy import deepcopy

import pytest
import torch
from torch.testing._internal.common_optimizers import (
    ErrorOptimizerInput,
    OptimizerInfo,
    OptimizerInput,
    _get_optim_inputs_including_global_cliquey_kwargs,
    get_error_inputs_for_all_optims,
    optim_db,
)

import lionkit

HAS_KERNEL = lionkit.kernels.refusal([], lionkit.kappa.L1()) is None  # it needs a compiler at installation


class LionKHalfSquaredL2(lionkit.LionK):
    """The database wants a class of its own for each entry."""

    def __init__(self, params, *args, **options):
        super().__init__(params, *args, kappa=lionkit.kappa.HalfSquaredL2(), **options)


def lion_inputs(device, dtype=None):
    named = {
        "default": {},
        "lr": {"lr": 0.01},
        "weight_decay": {"lr": 0.02, "weight_decay": 0.3},
        "betas": {"lr": 0.01, "betas": (0.6, 0.85), "weight_decay": 0.2},
        "maximize": {"lr": 0.01, "weight_decay": 0.1, "maximize": True},
        "tensor lr": {"lr": torch.tensor(2**-6), "weight_decay": 0.25},
        "1-element lr": {"lr": torch.tensor([0.01]), "betas": (0.8, 0.95), "weight_decay": 0.1},
        "first gradient": {"lr": 0.01, "betas": (0.95, 0.98), "weight_decay": 0.1, "momentum_init": "gradient"},
        "first gradient, maximize": {
            "lr": 0.01,
            "weight_decay": 0.1,
            "momentum_init": "gradient",
            "maximize": True,
        },
        # There is no step counter, so that a CPU takes it too.
        "capturable": {"lr": torch.tensor(0.01), "weight_decay": 0.1, "capturable": True},
    }
    return [OptimizerInput(params=None, kwargs=kwargs, desc=name) for name, kwargs in named.items()]


def lion_error_inputs(device, dtype):
    """Torch's own, and the ends of every range; ``params=None``, as in torch's entries: options are checked first."""
    named = {
        "Invalid learning rate: -1e-06": {"lr": -1e-6},
        "Invalid learning rate: nan": {"lr": float("nan")},
        "Invalid betas": {"betas": (0.9, 0.99, 0.999)},
        "Invalid beta parameter at index 0: 1.0": {"betas": (1.0, 0.5)},
        "Invalid beta parameter at index 0: -0.1": {"betas": (-0.1, 0.5)},
        "Invalid beta parameter at index 1: 1.5": {"betas": (0.5, 1.5)},
        "Invalid beta parameter at index 1: nan": {"betas": (0.5, float("nan"))},
        "Invalid weight_decay value: -0.1": {"weight_decay": -0.1},
        "Invalid weight_decay value: nan": {"weight_decay": float("nan")},
        "Invalid momentum_init: 'ones', it must be one of 'zeros', 'gradient'": {"momentum_init": "ones"},
        "Invalid momentum_dtype: 'int2', it must be one of None, 'float32', 'bfloat16', 'int8', 'int4'": {
            "momentum_dtype": "int2"
        },
        "Invalid weight_rounding: None, it must be one of 'nearest', 'stochastic', 'kahan'": {"weight_rounding": None},
        "Invalid seed: -1, it must be an integer in": {"seed": -1},
        "Invalid seed: 18446744073709551616": {"seed": 2**64},
        "Invalid seed: 0.5": {"seed": 0.5},
    }
    missing = {
        "fused=True and foreach=True": {"fused": True, "foreach": True},
        "fused=True and differentiable=True": {"fused": True, "differentiable": True},
        "foreach=True and differentiable=True": {"foreach": True, "differentiable": True},
        "differentiable=True and momentum_dtype='int8'": {"differentiable": True, "momentum_dtype": "int8"},
        "differentiable=True and weight_rounding='kahan'": {"differentiable": True, "weight_rounding": "kahan"},
        "capturable=True and weight_rounding='stochastic'": {"capturable": True, "weight_rounding": "stochastic"},
        "capturable=True and momentum_dtype='int4'": {"capturable": True, "momentum_dtype": "int4"},
    }
    return get_error_inputs_for_all_optims(device, dtype) + [
        ErrorOptimizerInput(OptimizerInput(params=None, kwargs=kwargs), error_type=error_type, error_regex=regex)
        for error_type, errors in ((ValueError, named), (RuntimeError, missing))
        for regex, kwargs in errors.items()
    ]


def entry(
    optimizer,
    inputs=lion_inputs,
    error_inputs=lion_error_inputs,
    supported_impls=("foreach", "differentiable", *(["fused"] if HAS_KERNEL else [])),
    **more,
):
    sgd = next(info for info in optim_db if info.optim_cls is torch.optim.SGD)
    return OptimizerInfo(
        optimizer,
        optim_inputs_func=inputs,
        optim_error_inputs_func=error_inputs,
        scheduler_inputs=sgd.scheduler_inputs,
        supported_impls=supported_impls,
        supports_fused_on=("cpu",) if "fused" in supported_impls else (),
        not_og_supported_flags=(
            "foreach",
            "differentiable",
            "maximize",
            "capturable",
            "fused",
            "momentum_init",
            "momentum_dtype",
            "weight_rounding",
            "seed",
            "noise_step",
        ),
        has_capturable_arg=True,
        supports_sparse=False,
        **{"supports_complex": True, **more},
    )


LIONS = [entry(lionkit.Lion), entry(LionKHalfSquaredL2)]
optim_db.extend(LIONS)


def registered():
    """Lion, and Lion-K with another kappa; the other members are in `member_database`."""
    return LIONS


def _cases():
    for info in registered():
        for given in info.optim_inputs_func("cpu"):
            yield pytest.param(info.optim_cls, given.kwargs, id=f"{info.name}-{given.desc.replace(' ', '_')}")


def cliquey_inputs(info):
    """Every input with each implementation flag in turn; torch's own helper leaves foreach out on a CPU."""
    yield from _get_optim_inputs_including_global_cliquey_kwargs("cpu", torch.float32, info)
    for given in info.optim_inputs_func("cpu"):
        yield OptimizerInput(params=None, kwargs={**given.kwargs, "foreach": True}, desc=f"{given.desc} & foreach")


ENTRIES = pytest.mark.parametrize("info", registered(), ids=lambda info: info.name)
OPTIMIZERS = pytest.mark.parametrize("optimizer", [info.optim_cls for info in registered()])
CASES = pytest.mark.parametrize(("optimizer", "options"), list(_cases()))
# None is what a user gets who asks for nothing: the native kernel, on a CPU.
FOREACH = pytest.mark.parametrize("foreach", [False, True, None], ids=["forloop", "foreach", "native"])
# None of them torch's default, for tests whose point is not the options.
SETTINGS = {"lr": 0.03, "betas": (0.7, 0.95), "weight_decay": 0.4}
SHAPES = [(5, 3), (7,), (), (0, 4), (2, 3, 2, 2)]


def build(optimizer, params, options, **more):
    """Build it on options of its own: a scheduler writes into a tensor lr."""
    return optimizer(params, **deepcopy({**options, **more}))


def parameters(dtype=torch.float32, shapes=SHAPES, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator).to(dtype)) for shape in shapes]


def give_grads(params, seed=2):
    generator = torch.Generator().manual_seed(seed)
    for param in params:
        grad = torch.view_as_real(param.detach()) if param.is_complex() else param.detach()
        grad = torch.randn(grad.shape, generator=generator, dtype=torch.float64).to(grad.dtype)
        param.grad = torch.view_as_complex(grad) if param.is_complex() else grad


def run(optimizer, params, steps=3, seed=2):
    for step in range(steps):
        give_grads(params, seed=seed + step)
        optimizer.step()


def momenta(optimizer, params):
    return [optimizer.state[param]["exp_avg"] for param in params]


def assert_same(ours, theirs):
    """Bit by bit, the dtype too."""
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
