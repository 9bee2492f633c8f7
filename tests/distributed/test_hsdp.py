"""Copies of shards, two by two processes; and checkpoints that other numbers of processes go on from."""

import pytest
import torch
from sharded_checkpoints import go_on, write
from sharded_members import walk_all
from voting_processes import run

COPIED = ["Lion", "CautiousLion", "Muon", "CLion, model", "stochastic", "int8, Lion"]
WRITTEN = [
    "Lion",
    "CLion, model",
    "MARS without a norm",
    "LionVR",
    "LionIGT",
    "StoSignSGD",
    "Muon",
    "kahan",
    "stochastic",
    "int8, Lion",
    "int4, Lion",
]


def test_copies_of_shards_step_as_one_device():
    for found in run(walk_all, 4, COPIED, (2, 2)):
        for name, (alone, cut) in found.items():
            for one, other in zip(alone, cut, strict=True):
                torch.testing.assert_close(other, one, rtol=0, atol=2e-6 if name == "CautiousLion" else 0, msg=name)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    return folder, run(write, 2, WRITTEN, folder)[0]


def test_one_process_goes_on_where_two_stopped(written):
    folder, ends = written
    (found,) = run(go_on, 1, WRITTEN, folder)
    _same(found, ends)


def test_four_processes_go_on_where_two_stopped(written):
    folder, ends = written
    for found in run(go_on, 4, WRITTEN, folder, (4,)):
        _same(found, ends)


def _same(found, ends):
    for name in WRITTEN:
        for one, other in zip(ends[name], found[name], strict=True):
            torch.testing.assert_close(other, one, rtol=0, atol=0, msg=name)
