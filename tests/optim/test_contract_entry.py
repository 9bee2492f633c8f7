"""Lion's entries in torch's database, and that Lion is what they declare."""

from copy import deepcopy

import pytest
import torch
from torch_database import (
    ENTRIES,
    HAS_KERNEL,
    OPTIMIZERS,
    SETTINGS,
    assert_same,
    build,
    cliquey_inputs,
    optim_db,
    parameters,
    run,
)

import lionkit


def test_lion_is_registered_once_beside_torchs_own():
    classes = [info.optim_cls for info in optim_db]
    assert classes.count(lionkit.Lion) == 1
    assert torch.optim.AdamW in classes
    assert len({info.name for info in optim_db}) == len(optim_db)


@ENTRIES
def test_an_entry_declares_what_the_constructor_takes(info):
    defaults = info.optim_cls(parameters()).defaults
    assert set(info.supported_impls) | set(info.not_og_supported_flags) <= set(defaults)
    assert info.has_capturable_arg is ("capturable" in defaults)
    assert {option for given in info.optim_inputs_func("cpu") for option in given.kwargs} <= set(defaults)


@OPTIMIZERS
def test_fused_without_a_kernel_is_refused_and_the_default_is_not(optimizer, monkeypatch):
    monkeypatch.setattr("lionkit.kernels._native.MISSING", "this build has no native kernel")
    with pytest.raises(RuntimeError, match="fused=True: this build has no native kernel"):
        optimizer(parameters(), fused=True)
    params, expected = parameters(), parameters()
    run(optimizer(params, **SETTINGS), params)
    run(optimizer(expected, **SETTINGS, foreach=False), expected)
    assert_same(params, expected)


@pytest.mark.skipif(not HAS_KERNEL, reason="this build has no native kernel")
@OPTIMIZERS
def test_fused_refuses_parameters_that_it_cannot_step(optimizer):
    with pytest.raises(
        RuntimeError, match=r"fused=True: the native kernel steps plain CPU tensors.*torch\.float8_e5m2"
    ):
        optimizer([torch.zeros(3).to(torch.float8_e5m2)], fused=True)
    stepper = optimizer(parameters(), **SETTINGS, fused=True)
    with pytest.raises(RuntimeError, match=r"there is a Parameter of torch\.float32 on meta"):
        stepper.add_param_group({"params": [torch.nn.Parameter(torch.zeros(2, device="meta"))]})
    assert len(stepper.param_groups) == 1


@ENTRIES
def test_every_input_with_every_implementation_is_built_printed_copied_and_idled(info):
    descriptions = []
    for given in cliquey_inputs(info):
        descriptions.append(given.desc)
        params = parameters()
        stepper = build(info.optim_cls, params, given.kwargs)
        assert {option: stepper.defaults[option] for option in given.kwargs} == given.kwargs
        (group,) = stepper.param_groups
        assert {option: group[option] for option in stepper.defaults} == stepper.defaults
        assert f"foreach: {given.kwargs.get('foreach')}" in repr(stepper)
        assert deepcopy(stepper).defaults == stepper.defaults
        stepper.step()
        assert_same(params, parameters())
    for flag in info.supported_impls:
        assert sum(name.endswith(f"& {flag}") for name in descriptions) == len(info.optim_inputs_func("cpu"))


@ENTRIES
def test_capturable_changes_nothing_on_a_cpu(info):
    """Adam refuses it there with a step counter on the host; Lion has none."""
    for given in info.optim_inputs_func("cpu"):
        results = []
        for capturable in (False, True):
            params = parameters()
            run(build(info.optim_cls, params, given.kwargs, capturable=capturable), params)
            results.append(params)
        assert_same(*results)
        assert not torch.equal(results[0][0], parameters()[0])
