"""The native kernel against float64, bit by bit where bits are promised, and what it refuses."""

import itertools
import os
import subprocess
import sys

import pytest
import torch

import lionkit
from lionkit import kernels
from lionkit.kappa import L1, HalfSquaredL2

MISSING = kernels.refusal([], L1())
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
PAIRS = [
    pytest.param(dtype, momentum, id=f"{dtype}-{momentum}".replace("torch.", ""))
    for dtype, momentum in itertools.product(DTYPES, DTYPES)
    if momentum in (dtype, torch.float32, torch.bfloat16)
]
SIZES = [0, 1, 15, 16, 17, 31, 1009, 65_537]
SETTINGS = {"lr": 0.03, "betas": (0.85, 0.97), "weight_decay": 0.4, "maximize": False}


def lists(dtype, momentum_dtype, sizes=SIZES, seed=1):
    generator = torch.Generator().manual_seed(seed)
    shapes = [(dtype, None), (dtype, None), (momentum_dtype, None)]
    return [[torch.randn(size, generator=generator).to(kind) for size in sizes] for kind, _ in shapes]


def exact(params, grads, momenta, kappa, *, lr, betas, weight_decay, maximize):
    """Algorithm 1 in float64, whole tensors at a time, written apart from the kernels."""
    results = []
    for theta, g, m in zip(params, grads, momenta, strict=True):
        theta, g, m = theta.double(), g.double() * (-1 if maximize else 1), m.double()
        c = betas[0] * m + (1 - betas[0]) * g
        direction = torch.sign(c) if isinstance(kappa, L1) else c
        results.append((theta - lr * (direction + weight_decay * theta), betas[1] * m + (1 - betas[1]) * g, c, g))
    return results


@pytest.mark.parametrize(("dtype", "momentum_dtype"), PAIRS)
@pytest.mark.parametrize("kappa", [L1(), HalfSquaredL2()], ids=repr)
@pytest.mark.parametrize("maximize", [False, True])
def test_every_size_and_dtype_against_float64(dtype, momentum_dtype, kappa, maximize):
    settings = {**SETTINGS, "maximize": maximize}
    params, grads, momenta = lists(dtype, momentum_dtype)
    expected = exact(params, grads, momenta, kappa, **settings)
    kept = [grad.clone() for grad in grads]
    kernels.native(params, grads, momenta, kappa=kappa, **settings)
    assert all(grad.equal(copy) for grad, copy in zip(grads, kept, strict=True))
    working = torch.finfo(torch.promote_types(dtype, torch.float32)).eps
    for param, momentum, (theta, m, c, g) in zip(params, momenta, expected, strict=True):
        doubtful = c.abs() <= 2 * working * (g.abs() + 1)  # a sign may differ there, and nowhere else
        tolerance = torch.finfo(dtype).eps * (theta.abs() + 1) + 4 * working * (theta.abs() + 1)
        assert ((param.double() - theta).abs() <= tolerance)[~doubtful].all()
        assert doubtful.float().mean() < 1e-2 if param.numel() > 1000 else True
        assert ((momentum.double() - m).abs() <= (torch.finfo(momentum_dtype).eps + 4 * working) * (m.abs() + 1)).all()


@pytest.mark.parametrize(("dtype", "momentum_dtype"), PAIRS)
def test_thread_counts_give_the_same_bits(dtype, momentum_dtype):
    """However the work is cut, each number is stepped alike; the sizes make cuts fall inside tensors."""
    results = []
    for threads in (1, 2, 3):
        torch.set_num_threads(threads)
        try:
            tensors = lists(dtype, momentum_dtype, sizes=[3, 100_003, 1, 0, 70_001, 17])
            for _ in range(3):
                kernels.native(*tensors, kappa=L1(), **SETTINGS)
        finally:
            torch.set_num_threads(1)
        results.append(tensors[0] + tensors[2])
    for other in results[1:]:
        assert all(a.equal(b) for a, b in zip(results[0], other, strict=True))


def all_halves(dtype):
    return torch.arange(2**16, dtype=torch.int32).to(torch.uint16).view(dtype)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_every_half_precision_number_survives_a_step_of_nothing(dtype):
    values = all_halves(dtype)
    param, zeros = values.clone(), torch.zeros_like(values)
    kernels.native([param], [zeros], [zeros.clone()], kappa=L1(), **{**SETTINGS, "lr": 0.0, "weight_decay": 0.0})
    torch.testing.assert_close(param, values, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_rounding_to_half_precision_is_torchs(dtype):
    """theta <- 0 - 1 * m for float32 m of every exponent, and halfway between neighbours, where ties go to even."""
    bits = torch.randint(-(2**31), 2**31, (200_000,), dtype=torch.int64).to(torch.int32)
    neighbours = all_halves(dtype).float()
    ties = (neighbours.view(torch.int32) + (1 << (15 if dtype is torch.bfloat16 else 12))).view(torch.float32)
    for wide in (bits.view(torch.float32), neighbours, ties):
        wide = wide[wide.isfinite()]
        param, momentum = torch.zeros(len(wide), dtype=dtype), wide.clone()
        settings = {**SETTINGS, "lr": 1.0, "betas": (1.0, 1.0), "weight_decay": 0.0}
        kernels.native([param], [torch.zeros_like(param)], [momentum], kappa=HalfSquaredL2(), **settings)
        torch.testing.assert_close(param, (-wide).to(dtype), rtol=0, atol=0)


LAYOUTS = {
    "channels_last": lambda: torch.randn(2, 3, 5, 7).to(memory_format=torch.channels_last),
    "transposed": lambda: torch.randn(4, 9).t(),
    "every second column": lambda: torch.randn(4, 10)[:, ::2],
    "expanded": lambda: torch.randn(4, 1).expand(4, 6),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_not_dense_is_stepped_in_the_same_step(layout):
    """As a gradient beside contiguous parameters, and, where it can be one, as the parameter itself."""
    for grad_alone in [True, False][: 1 if layout == "expanded" else 2]:
        grad = LAYOUTS[layout]()
        start = torch.randn(grad.shape) if grad_alone else LAYOUTS[layout]()
        ours = [torch.nn.Parameter(start), torch.nn.Parameter(torch.randn(11))]
        theirs = [torch.nn.Parameter(weight.detach().clone().contiguous()) for weight in ours]
        for weight, other, given in zip(ours, theirs, [grad, torch.randn(11)], strict=True):
            weight.grad, other.grad = given, given.clone().contiguous()
        for weights in (ours, theirs):
            optimizer = lionkit.Lion(weights, lr=0.03, betas=(0.85, 0.97), weight_decay=0.4)
            for _ in range(3):
                optimizer.step()
        for weight, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(weight, other, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("param", "grad", "left"),
    [
        (torch.zeros(3, 4), torch.ones(3, 4), False),
        (torch.zeros(2, 3, 5, 7).to(memory_format=torch.channels_last),) * 2 + (False,),
        (torch.zeros(4, 9).t(), torch.ones(4, 9).t(), False),
        (torch.zeros(9, 4), torch.ones(4, 9).t(), True),
        (torch.zeros(4, 10)[:, ::2], torch.ones(4, 10)[:, ::2], True),
        (torch.zeros(4, 6), torch.ones(4, 1).expand(4, 6), True),
        (torch.zeros(4), torch.ones(4, dtype=torch.float64), True),
        (torch.zeros(0, 4), torch.ones(0, 4), False),
    ],
)
def test_what_takes_the_one_pass(param, grad, left):
    """Or the layouts might all go the slow way, and no other test would tell."""
    lr = torch.tensor(0.1)
    momentum = torch.zeros_like(param) if param.is_contiguous() or not left else torch.zeros(param.shape)
    assert kernels.native([param], [grad], [momentum], kappa=L1(), **{**SETTINGS, "lr": lr}) == ([0] if left else [])


@pytest.mark.parametrize(("dtype", "momentum_dtype"), PAIRS)
def test_every_pair_of_dtypes_takes_the_one_pass(dtype, momentum_dtype):
    assert kernels.native(*lists(dtype, momentum_dtype), kappa=L1(), **SETTINGS) == []


@pytest.mark.parametrize("backend", [kernels.reference, kernels.foreach, kernels.native])
def test_without_memory_of_the_past_only_the_gradient_counts(backend):
    """betas (0, 0) is signSGD: m + (g - m) would lose a gradient that is tiny beside the momentum."""
    param, grad, momentum = torch.zeros(2), torch.tensor([1e-9, -1e-9]), torch.tensor([1.0, 1.0])
    backend([param], [grad], [momentum], kappa=L1(), **{**SETTINGS, "betas": (0.0, 0.0)})
    assert param.tolist() == pytest.approx([-0.03, 0.03])
    assert momentum.equal(grad)


@pytest.mark.parametrize("foreach", [None, False, True])
def test_a_stale_graph_does_not_go_backward(foreach):
    weight = torch.nn.Parameter(torch.ones(3))
    loss = weight.square().sum()
    weight.grad = torch.ones(3)
    lionkit.Lion([weight], lr=0.1, weight_decay=0.1, foreach=foreach).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_the_default_device_does_not_matter():
    weight = torch.nn.Parameter(torch.ones(3))
    weight.grad = torch.ones(3)
    with torch.device("meta"):
        lionkit.Lion([weight], lr=0.1, weight_decay=0.1).step()
    assert weight.tolist() == pytest.approx([0.89] * 3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.int64, torch.float64], ids=str)
def test_a_tensor_lr_of_any_dtype(dtype):
    weight = torch.nn.Parameter(torch.ones(3))
    weight.grad = torch.ones(3)
    lionkit.Lion([weight], lr=torch.tensor(2, dtype=dtype), weight_decay=0.25).step()
    assert weight.tolist() == [-1.5] * 3


def test_a_momentum_without_a_kernel_is_left_untouched():
    """A float16 momentum of float32 weights, as an old checkpoint may hold."""
    (a, b), grads, (m, n) = lists(torch.float32, torch.float32, sizes=[9, 5])
    params, momenta, kept = [a, b], [m.half(), n], a.clone()
    assert kernels.native(params, grads, momenta, kappa=L1(), **SETTINGS) == [0]
    assert a.equal(kept)
    assert momenta[0].equal(m.half())
    assert not n.equal(lists(torch.float32, torch.float32, sizes=[9, 5])[2][1])


def test_the_operator_is_well_formed():
    """torch's own checks of schema, fake implementation and autograd registration, on live tensors."""
    params, grads, momenta = lists(torch.float32, torch.bfloat16, sizes=[5, 0, 33])
    arguments = (
        params,
        grads,
        momenta,
        [],
        [],
        torch.tensor(0.1),
        "sign",
        0.0,
        0.9,
        0.99,
        0.1,
        False,
        None,
        0.0,
        False,
        False,
        0,
    )
    optional = (torch.tensor(2.0), torch.empty(len(kernels.SUMS), dtype=torch.float64))
    torch.library.opcheck(torch.ops.lionkit.step_.default, arguments)
    torch.library.opcheck(torch.ops.lionkit.step_.default, arguments + optional)


REST = {
    "kappa_parameter": 0.0,
    "beta1": 0.9,
    "beta2": 0.99,
    "weight_decay": 0.1,
    "cautious": False,
    "mask_offset": None,
    "mask_least": 0.0,
    "maximize": False,
    "stochastic": False,
    "noise": 0,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grads": lambda p, g, m: g[:1]}, "got 2 parameters, 1 gradients and 2 momenta"),
        ({"grads": lambda p, g, m: [g[0], g[1][:2]]}, "gradient and momentum 1 differ in shape"),
        ({"momenta": lambda p, g, m: [m[0], m[1].view(2, 2)]}, "gradient and momentum 1 differ in shape"),
        ({"kappa": lambda p, g, m: "tanh"}, 'kappa is "tanh", it must be one of sign, identity, huber'),
        ({"lr": lambda p, g, m: torch.ones(2)}, "lr must be one number on the CPU"),
        ({"lr": lambda p, g, m: torch.tensor(1)}, "lr must be float32 or float64"),
        ({"scales": lambda p, g, m: p[:1]}, "got 2 parameters and 1 scales"),
        ({"compensations": lambda p, g, m: p[:1]}, "got 2 parameters and 1 compensations"),
        ({"compensations": lambda p, g, m: [p[0][:2], p[1]]}, "momentum 0 differ in shape"),
        ({"compensations": lambda p, g, m: p}, "parameter 0 has a compensation, only half precisions have one"),
        ({"momenta": lambda p, g, m: [m[0], m[1].to(torch.int8)]}, "momentum 1 has 0 scales, .* of 4 numbers has 1"),
        ({"statistics": lambda p, g, m: torch.empty(3)}, "statistics must be 12 numbers of float64 on the CPU"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(change, message):
    tensors = lists(torch.float32, torch.float32, sizes=[7, 4])
    kept = [[tensor.clone() for tensor in column] for column in tensors]
    arguments = dict(zip(("params", "grads", "momenta"), tensors, strict=True))
    arguments |= {"lr": torch.tensor(0.1), "kappa": "sign", "scales": [], "compensations": []}
    arguments |= {name: make(*tensors) for name, make in change.items()}
    with pytest.raises(RuntimeError, match=message):
        torch.ops.lionkit.step_(**arguments, **REST)
    assert all(
        a.equal(b) for ours, theirs in zip(tensors, kept, strict=True) for a, b in zip(ours, theirs, strict=True)
    )


@pytest.mark.parametrize("strided", [False, True])
def test_a_scaled_first_gradient_is_m0_once_unscaled(strided):
    """The first step overflows, as it does at the usual initial scale: no state may come of it."""
    start = torch.tensor([[1.0, -2.0], [3.0, 0.5]])
    weight, other = (torch.nn.Parameter(start.t() if strided else start.clone()) for _ in range(2))
    settings = {"lr": 0.1, "weight_decay": 0.3, "kappa": HalfSquaredL2(), "momentum_init": "gradient"}
    optimizer = lionkit.LionK([weight], **settings, fused=True)
    plain = lionkit.LionK([other], **settings, foreach=False)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    for factor in (float("inf"), 1.0, 2.0):
        optimizer.zero_grad()
        scaler.scale(factor * weight.square().sum()).backward()
        if strided:
            weight.grad = weight.grad.contiguous()
        scaler.step(optimizer)
        scaler.update()
        if factor == float("inf"):
            assert not optimizer.state
            continue
        other.grad = 2 * factor * other.detach()
        plain.step()
        torch.testing.assert_close(weight, other, rtol=1e-6, atol=0)


def test_a_grad_scaler_unscales_by_itself_where_a_group_is_not_fused():
    weights = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    groups = [{"params": weights[:1]}, {"params": weights[1:], "fused": False}]
    optimizer = lionkit.LionK(groups, lr=0.1, weight_decay=0.3, kappa=HalfSquaredL2(), fused=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    scaler.scale(sum(weight.square().sum() for weight in weights)).backward()
    scaler.step(optimizer)
    torch.testing.assert_close(weights[0], weights[1])
    assert weights[0].grad.tolist() == [2.0, 2.0]


def test_a_grad_scaler_leaves_unscaling_and_skipping_to_the_kernel():
    weight, other = (torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0])) for _ in range(2))
    optimizer = lionkit.LionK([weight], lr=0.1, weight_decay=0.3, kappa=HalfSquaredL2(), fused=True)
    plain = lionkit.LionK([other], lr=0.1, weight_decay=0.3, kappa=HalfSquaredL2(), foreach=False)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    for factor in (1.0, float("inf"), 0.5):
        loss = factor * weight.square().sum()
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaled = weight.grad.clone()
        scaler.step(optimizer)
        scaler.update()
        torch.testing.assert_close(weight.grad, scaled, rtol=0, atol=0, equal_nan=True)  # read, not unscaled in place
        if factor != float("inf"):
            other.grad = 2 * factor * other.detach()
            plain.step()
        torch.testing.assert_close(weight, other, rtol=1e-6, atol=0)


@pytest.mark.parametrize("width", ["baseline", "avx2"])
def test_narrower_instruction_sets_give_the_same_step(width, tmp_path):
    """A processor without AVX-512, or without AVX2: LIONKIT_ISA caps what the kernel may use."""
    params, grads, momenta = lists(torch.bfloat16, torch.float32)
    torch.save((params, grads, momenta), tmp_path / "before.pt")
    code = (
        "import sys, torch; from lionkit import kernels; from lionkit.kappa import L1; "
        "tensors = torch.load(sys.argv[1]); kernels.native(*tensors, kappa=L1(), lr=0.03, betas=(0.85, 0.97), "
        "weight_decay=0.4, maximize=False); torch.save(tensors, sys.argv[2]); "
        "print(torch.ops.lionkit.instruction_set())"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "before.pt", tmp_path / "after.pt"],
        env={**os.environ, "LIONKIT_ISA": width},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() in {width, "baseline"}  # a processor without AVX2 has nothing to be capped
    kernels.native(params, grads, momenta, kappa=L1(), **SETTINGS)
    narrow = torch.load(tmp_path / "after.pt")
    for ours, theirs in zip(params + momenta, narrow[0] + narrow[2], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=torch.finfo(ours.dtype).eps, atol=1e-6)
