"""What cannot vote is refused on every rank, in words, and nobody waits for the others."""

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from voting_processes import run

import lionkit
from lionkit.distributed import SignOfMean, UnbiasedVote, Vote, agree


def two_layers(sparse=False):
    torch.manual_seed(1)
    return nn.Sequential(nn.Embedding(5, 3, sparse=sparse), nn.Linear(3, 2))


def ddp(net=None, **options):
    return DistributedDataParallel(two_layers() if net is None else net, **options)


def lion(model, **options):
    return lionkit.Lion(model.parameters(), **{"lr": 0.01, "weight_decay": 0.1, **options})


def plain(rank):
    model = two_layers()
    return model, lion(model)


def plain_on_one(rank):
    model = ddp()
    return (model.module if rank else model), lion(model)


def twice(rank):
    model = ddp(nn.Sequential(ddp()))
    return model, lion(model)


def hooked(rank):
    model = ddp()
    agree(model, lion(model))
    return model, lion(model)


def agreed(rank):
    model = ddp()
    optimizer = lion(model)
    agree(model, optimizer)
    return ddp(model.module), optimizer


def sparse(rank):
    model = ddp(two_layers(sparse=True))
    return model, lion(model)


def mixed(rank):
    precision = torch.nn.parallel.distributed._MixedPrecision(param_dtype=torch.bfloat16)
    model = ddp()
    model.mixed_precision = precision
    return model, lion(model)


def adamw(rank):
    model = ddp()
    return model, torch.optim.AdamW(model.parameters())


def huber(rank):
    model = ddp()
    return model, lionkit.LionK(model.parameters(), kappa=lionkit.kappa.Huber(0.1))


def seated(rank):
    model = ddp()
    return model, lionkit.CautiousLion(model.parameters())


def low_rank(rank):
    model = ddp()
    return model, lionkit.LionK(model.parameters(), momentum_rank=1)


def half_of_it(rank):
    model = ddp()
    return model, lionkit.Lion(model.module[1].parameters())


def a_stranger(rank):
    model = ddp()
    return model, lionkit.Lion([*model.parameters(), nn.Parameter(torch.zeros(7))])


def complex_weights(rank):
    model = ddp(nn.Linear(2, 2, dtype=torch.complex64))
    return model, lion(model)


def other_lr(rank):
    model = ddp()
    return model, lion(model, lr=0.02 if rank else 0.01)


def other_groups(rank):
    model = ddp()
    lists = [[*model.module[0].parameters()], [*model.module[1].parameters()]]
    return model, lionkit.Lion([{"params": params} for params in (lists[::-1] if rank else lists)])


def other_weights(rank):
    model = ddp()
    with torch.no_grad():
        model.module[1].bias[1] += 1e-7 * rank
    return model, lion(model)


def two_kappas(rank):
    model = ddp()
    groups = [
        {"params": model.module[0].parameters()},
        {"params": model.module[1].parameters(), "kappa": lionkit.kappa.TruncatedL1(0.1)},
    ]
    return model, lionkit.LionK(groups)


def no_mode(rank):
    return *plain_ddp(rank), "majority"


def other_mode(rank):
    return *plain_ddp(rank), UnbiasedVote(1.0 + rank)


def never_zero(rank):
    return *plain_ddp(rank), Vote(), 0


def other_interval(rank):
    return *plain_ddp(rank), Vote(), 3 + rank


def plain_ddp(rank):
    model = ddp()
    return model, lion(model)


def mean_of_two_kappas(rank):
    return *two_kappas(rank), SignOfMean()


MESSAGES = {
    plain: "rank 0: Invalid model: a Sequential, it must be wrapped in DistributedDataParallel",
    plain_on_one: "rank 1: Invalid model: a Sequential, it must be wrapped in DistributedDataParallel",
    twice: "rank 0: Invalid model: a DistributedDataParallel in another, it must be wrapped once",
    hooked: "rank 0: Invalid model: it has a communication hook, it must have none: agree() once, on a new wrapper",
    agreed: "rank 0: Invalid optimizer: group 0 has agreed to Vote(), it must be None",
    sparse: "rank 0: Invalid model: the gradients of 0 are sparse, they must be dense: sparse=False",
    mixed: "rank 0: Invalid model: its buckets mix precisions (mixed_precision), they must have their parameters' "
    "dtype",
    adamw: "rank 0: Invalid optimizer: a AdamW, it must be a lionkit.LionK or a member",
    huber: "rank 0: Invalid kappa: Huber(e=0.1) of group 0, its direction has no code, it must be L1 or TruncatedL1",
    seated: "rank 0: Invalid direction: CautiousMask(normalisation='published') of group 0, it must be None "
    "where workers agree",
    low_rank: "rank 0: Invalid momentum_rank: 1 of group 0, it must be None where workers agree",
    half_of_it: "rank 0: Invalid optimizer: it lacks 0.weight, it must have every parameter of the model "
    "that is trained",
    a_stranger: "rank 0: Invalid optimizer: a parameter of shape (7,) is not the model's, or is left out of its "
    "training",
    complex_weights: "rank 0: Invalid weight: torch.complex64 on cpu, it must be real and on the CPU",
    other_lr: "Invalid lr of group 0: rank 1 has 0.02, rank 0 has 0.01",
    other_groups: "Invalid parameters of group 0: rank 1 has 1.weight, 1.bias, rank 0 has 0.weight",
    other_weights: "Invalid weights: rank 1 starts from others than most: the first is 1.bias",
    no_mode: "rank 0: Invalid mode: 'majority', it must be a lionkit.distributed.Mode such as Vote()",
    other_mode: "Invalid mode: rank 1 has UnbiasedVote(bound=2.0, answer='sign'), "
    "rank 0 has UnbiasedVote(bound=1.0, answer='sign')",
    never_zero: "rank 0: Invalid check_every: 0, it must be None or an integer of at least 1",
    other_interval: "Invalid check_every: rank 1 has 4, rank 0 has 3",
    mean_of_two_kappas: "rank 0: Invalid kappa: groups have different ones, they must have the same "
    "where workers agree by SignOfMean()",
}


def _refusals(rank):
    found = {}
    for make in MESSAGES:
        model, optimizer, *settings = make(rank)
        try:
            agree(model, optimizer, *settings[:1], **({"check_every": settings[1]} if settings[1:] else {}))
        except ValueError as error:
            found[make.__name__] = str(error)
        else:
            found[make.__name__] = None
    agree(*two_kappas(rank), Vote())  # what was refused by one mode goes with another, and nothing is left behind
    return found


def test_what_cannot_vote_is_refused_on_every_rank():
    for found in run(_refusals, 2):
        assert found == {make.__name__: message for make, message in MESSAGES.items()}


def test_without_a_process_group():
    model = two_layers()
    with pytest.raises(RuntimeError, match=r"^there is no process group: call "):
        agree(model, lion(model))


def test_a_backend_that_cannot_vote():
    from torch.testing._internal.distributed.fake_pg import FakeStore

    dist.init_process_group("fake", store=FakeStore(), rank=0, world_size=2)
    try:
        model = two_layers()
        with pytest.raises(ValueError, match=r"^Invalid process group: its backend is fake, it must be gloo$"):
            agree(model, lion(model))
    finally:
        dist.destroy_process_group()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: UnbiasedVote(0.0), "Invalid bound: 0.0, it must be finite and above 0"),
        (lambda: UnbiasedVote(1.0, answer="mean"), "Invalid answer: 'mean', it must be 'sign' or 'unbiased'"),
    ],
)
def test_modes_refuse(make, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        make()
