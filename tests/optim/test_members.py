"""Every member: the contract, its state in a file, every backend, and what it refuses."""

import io

import pytest
import torch
from members import MATRICES, MEMBERS, SETTINGS, parameters, shapes_of, train
from torch import nn

import lionkit
from lionkit import kappa, optim, testing

EVERY = pytest.mark.parametrize("name", MEMBERS)
SLOW_PATH = ["CLion, tensor", "CLion, model", "StoSignSGD"]


@EVERY
def test_a_member_keeps_the_contract(name):
    report = testing.check_optimizer(lambda params: MEMBERS[name](params, **SETTINGS), shapes=shapes_of(name))
    assert len(report.passed) == 11


def test_members_are_final_and_all_here():
    names = {member.__name__ for member in lionkit.LionK.__subclasses__() if member.__module__.startswith("lionkit.")}
    assert names == {name.split(",")[0] for name in MEMBERS if "decay" not in name} - {"LionK"}
    assert all(member.__final__ for member in lionkit.LionK.__subclasses__() if member.__name__ in names)
    assert names <= set(optim.__all__)


@EVERY
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_backends_agree(name, dtype):
    """Beside the native kernel's own roundings, of a float32 c that a smooth map passes on."""
    runs = []
    for foreach in (False, True, None):
        params = parameters(shapes_of(name), dtype)
        train(MEMBERS[name](params, **SETTINGS, foreach=foreach), params, steps=5)
        runs.append([param.detach() for param in params])
    for loop, foreach, default in zip(*runs, strict=True):
        assert torch.equal(loop, foreach)
        torch.testing.assert_close(loop, default, rtol=0, atol=20 * torch.finfo(dtype).eps)


@pytest.mark.filterwarnings("ignore:.*half-precision weights stand still")
@EVERY
@pytest.mark.parametrize("extra", [{"weight_rounding": "kahan"}, {"momentum_dtype": "bfloat16"}], ids=str)
def test_bfloat16_weights_resume_to_the_bit(name, extra):
    params = parameters(shapes_of(name), torch.bfloat16)
    stepper = MEMBERS[name](params, **SETTINGS, **extra)
    train(stepper, params, steps=4)
    file = io.BytesIO()
    torch.save(stepper.state_dict(), file)
    file.seek(0)
    others = [nn.Parameter(param.detach().clone()) for param in params]
    resumed = MEMBERS[name](others, **SETTINGS, **extra)
    resumed.load_state_dict(torch.load(file, weights_only=True))
    for one, stepped in ((stepper, params), (resumed, others)):
        train(one, stepped, steps=4)
    assert all(torch.equal(a, b) for a, b in zip(params, others, strict=True))
    for param, other in zip(params, others, strict=True):
        assert set(stepper.state[param]) == set(resumed.state[other])
        assert all(torch.equal(stepper.state[param][key], resumed.state[other][key]) for key in stepper.state[param])


@pytest.mark.parametrize(
    "name", [name for name in MEMBERS if name not in ("Muon", "LionVR", "MLorcLion", "CLion, model")]
)
def test_a_momentum_of_codes_resumes_to_the_bit(name):
    def make(params):
        return MEMBERS[name](params, **SETTINGS, momentum_dtype="int8")

    testing.check_optimizer(make, shapes=[(64, 70), (7,)])


@pytest.mark.parametrize("name", [name for name in MEMBERS if name not in ("Muon", "MLorcLion")])
def test_complex_is_a_pair_of_reals(name):
    pairs = parameters([(5, 2), (4, 3, 2)])
    params = [nn.Parameter(torch.view_as_complex(pair.detach().clone())) for pair in pairs]
    steppers = [MEMBERS[name](stepped, **SETTINGS) for stepped in (pairs, params)]

    def closures(stepper, real):
        def closure():
            stepper.zero_grad()
            loss = sum(((x - 0.3).square() * torch.arange(1, 3)).sum() for x in real())
            loss.backward()
            return loss

        return closure

    for _ in range(4):
        steppers[0].step(closures(steppers[0], lambda: pairs))
        steppers[1].step(closures(steppers[1], lambda: [torch.view_as_real(param) for param in params]))
    for pair, param in zip(pairs, params, strict=True):
        torch.testing.assert_close(torch.view_as_real(param.detach()), pair.detach(), rtol=0, atol=1e-12)


@EVERY
def test_maximize_climbs_what_the_opposite_descends(name):
    runs = []
    for sign in (1, -1):
        params = parameters(shapes_of(name))
        stepper = MEMBERS[name](params, **SETTINGS, maximize=sign < 0)

        def closure(stepper=stepper, params=params, sign=sign):
            stepper.zero_grad()
            loss = sign * sum((param.square() * (1 + param.square())).sum() for param in params)
            loss.backward()
            return loss

        for _ in range(5):
            stepper.step(closure)
        runs.append([param.detach() for param in params])
    for down, up in zip(*runs, strict=True):
        torch.testing.assert_close(down, up, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", SLOW_PATH)
def test_fused_is_refused_where_no_kernel_serves_the_seat(name):
    with pytest.raises(
        RuntimeError, match=r"fused=True: the native kernel does not know (direction|weight_decay_mode)="
    ):
        MEMBERS[name](parameters(), **SETTINGS, fused=True)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (
            lambda: optim.Muon(parameters([(3,)])),
            r"Spectral cannot take .*\(3,\): it must have 2 dims.*use GroupL2\(\) or L1",
        ),
        (
            lambda: optim.Muon([nn.Parameter(torch.zeros(2, 2, dtype=torch.complex64))]),
            r"it must have 2 dims and be real",
        ),
        (lambda: optim.LionK(parameters([()]), kappa=kappa.GroupL2()), r"GroupL2\('tensor'\) cannot take .*shape \(\)"),
        (lambda: optim.LionK(parameters([(2,)]), kappa=kappa.TopK(3)), "k is 3, it must be at most"),
        (lambda: optim.LionK(parameters(), kappa=kappa.Lp(0.5)), "Invalid p: 0.5, it must be at least 1"),
        (
            lambda: optim.CLion(parameters(), nu=1.5, gate="coordinate"),
            "Invalid nu: 1.5, it must be above 0 and at most 1",
        ),
        (lambda: optim.CLion(parameters(), nu=0.0), "Invalid nu: 0.0, it must be finite and above 0"),
        (
            lambda: optim.CLion(parameters(), gate="row"),
            "Invalid gate: 'row', it must be 'tensor', 'model' or 'coordinate'",
        ),
        (lambda: optim.Gate(0.1, "row"), "Invalid over: 'row'"),
        (
            lambda: optim.CautiousLion(parameters(), normalisation="mine"),
            "Invalid normalisation: 'mine', it must be one of",
        ),
        (lambda: optim.RLion(parameters(), alpha=0.0), "Invalid alpha: 0.0, it must be finite and above 0"),
        (lambda: optim.MARSLion(parameters(), gamma=-0.1), "Invalid gamma: -0.1, it must be finite and at least 0"),
        (lambda: optim.MARSLion(parameters(), max_norm=0.0), "Invalid max_norm: 0.0, it must be above 0"),
        (lambda: optim.Muon(parameters(MATRICES), momentum=1.0), r"Invalid momentum: 1.0, it must be in \[0, 1\)"),
        (lambda: optim.MLorcLion(parameters(), rank=4), r"Invalid momentum_rank: 4 .*\(5, 3\), it must be at most 3"),
        (
            lambda: optim.MLorcLion(parameters(), rank=0),
            "Invalid momentum_rank: 0, it must be None or an integer of at",
        ),
        (
            lambda: optim.MLorcLion(parameters(), rank=2, momentum_dtype="int8"),
            "Invalid momentum_dtype: 'int8' with mom",
        ),
        (
            lambda: optim.LionVR(parameters(), momentum_dtype="int4"),
            r"Invalid momentum_dtype: 'int4' with gradient=STORM\(\)",
        ),
        (
            lambda: optim.LionK(parameters(), gradient=optim.STORM(), momentum_rank=1),
            "Invalid momentum_rank: 1 with gradient",
        ),
        (
            lambda: optim.Lion(parameters(), weight_decay_mode="half"),
            "Invalid weight_decay_mode: 'half', it must be one of",
        ),
        (
            lambda: optim.Lion(parameters(), lr=0.0, weight_decay_mode="absolute"),
            "Invalid learning rate: 0.0, it must be above",
        ),
        (lambda: optim.Lion(parameters(), weight_decay=2.0, weight_decay_mode="absolute"), "it must be at most 1 with"),
    ],
)
def test_bad_input_is_refused_at_construction(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_seats_take_what_fits_them_alone():
    for name, filled in (("gradient", "MARS"), ("direction", optim.MARS()), ("gradient", optim.CautiousMask())):
        with pytest.raises(TypeError, match=f"Invalid {name}: .* it must be None or a lionkit"):
            optim.LionK(parameters(), **{name: filled})
    for filled in ({"gradient": optim.IGT()}, {"direction": optim.Dither()}, {"momentum_rank": 1}):
        for option in ("differentiable", "capturable"):
            with pytest.raises(RuntimeError, match=f"{option}=True and {next(iter(filled))}="):
                optim.LionK(parameters(), **filled, **{option: True})


def test_a_refused_group_is_not_added():
    stepper = optim.Muon(parameters(MATRICES))
    with pytest.raises(ValueError, match="Spectral cannot take"):
        stepper.add_param_group({"params": parameters([(3,)])})
    assert len(stepper.param_groups) == 1


@pytest.mark.parametrize("name", ["LionVR", "MARSLion, exact"])
def test_two_gradients_need_a_closure(name):
    params = parameters()
    stepper = MEMBERS[name](params, **SETTINGS)
    before = [param.detach().clone() for param in params]
    for param in params:
        param.grad = torch.ones_like(param)
    with pytest.raises(ValueError, match=r"needs a closure: it takes two gradients a step"):
        stepper.step()
    assert all(torch.equal(a, b) for a, b in zip(params, before, strict=True))


def test_load_refuses_another_seat_and_an_odd_shape():
    params = parameters()
    mars = MEMBERS["MARSLion"](params, **SETTINGS)
    train(mars, params, steps=2)
    with pytest.raises(ValueError, match=r"saved with gradient=MARS\(.*this optimizer has gradient=None"):
        optim.Lion(parameters()).load_state_dict(mars.state_dict())
    wrong = mars.state_dict()
    wrong["state"] = {**wrong["state"], 0: {**wrong["state"][0], "previous_grad": torch.zeros(2)}}
    with pytest.raises(ValueError, match=r"state of parameter 0: Invalid previous_grad: its shape is \(2,\)"):
        MEMBERS["MARSLion"](parameters(), **SETTINGS).load_state_dict(wrong)


def test_a_plain_lions_state_starts_any_member():
    params = parameters()
    lion = optim.Lion(params, **SETTINGS)
    train(lion, params, steps=2)
    for name in ("MARSLion", "CautiousLion", "MLorcLion"):
        others = parameters()
        stepper = MEMBERS[name](others, **SETTINGS)
        stepper.load_state_dict(lion.state_dict())
        train(stepper, others, steps=2)
