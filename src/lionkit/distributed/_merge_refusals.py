"""Why the states of several workers are not those of one run at one step."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from torch import Tensor

from lionkit.momentum import CODES, DENSE, SCALES, has_momentum

MOMENTUM: Final = (DENSE, CODES, SCALES)
"""What differs from worker to worker; all else must not."""

_FORMS = [[DENSE], [CODES, SCALES]]
_PARTS = ("state", "param_groups")


def refusal(states: Sequence[Mapping[str, Any]]) -> str | None:
    """Say in a line that names the rank why state dicts of workers do not fit together; None where they do."""
    return next(_reasons(states), None)


def _reasons(states: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say why, as long as somebody asks: each question takes it that there was no reason before."""
    if not states:
        yield "Invalid states: there are 0, there must be at least 1"
    for rank, state in enumerate(states):
        if not (isinstance(state, Mapping) and all(part in state for part in _PARTS)):
            found = reprlib.repr(sorted(state)) if isinstance(state, Mapping) else f"a {type(state).__name__}"
            yield f"Invalid states: rank {rank} has {found}, it must be a state_dict() with 'state' and 'param_groups'"
    groups = [state["param_groups"] for state in states]
    yield from _differences({rank: {"number of groups": len(own)} for rank, own in enumerate(groups)})
    for index in range(len(groups[0])):
        yield from _differences({rank: own[index] for rank, own in enumerate(groups)}, f" of group {index}")
    for id_ in (id_ for group in groups[0] for id_ in group["params"]):
        yield from _of_a_parameter(id_, {rank: state["state"].get(id_, {}) for rank, state in enumerate(states)})


def _of_a_parameter(id_: int | str, states: Mapping[int, Mapping[str, Any]]) -> Iterator[str]:
    """Compare what those workers keep of a parameter that have a state of it: others never had its gradient."""
    kept = {rank: state for rank, state in states.items() if state}
    momenta = {rank: state for rank, state in kept.items() if has_momentum(state)}
    for rank, state in momenta.items():
        if [name for name in MOMENTUM if name in state] not in _FORMS:
            must = f"it must have {DENSE!r}, or {CODES!r} and {SCALES!r}"
            yield f"Invalid state of parameter {id_}: rank {rank} has {sorted(state)}, {must}"
    of = f" of parameter {id_}"
    yield from _differences({rank: _only(state, momentum=True) for rank, state in momenta.items()}, of)
    yield from _differences({rank: _only(state, momentum=False) for rank, state in kept.items()}, of)


def _only(state: Mapping[str, Any], *, momentum: bool) -> dict[str, Any]:
    """Return the form of a momentum, or what is not of it."""
    found = {name: value for name, value in state.items() if (name in MOMENTUM) == momentum}
    return {name: _form(value) for name, value in found.items()} if momentum else found


def _differences(all_ranks: Mapping[int, Mapping[str, Any]], of: str = "") -> Iterator[str]:
    """Compare every rank's values with the first one's."""
    for lead, own in [*all_ranks.items()][:1]:
        for rank, other in all_ranks.items():
            for name in {**own, **other}:
                if not _same(other.get(name), own.get(name)):
                    found, must = _plain(other.get(name)), _plain(own.get(name))
                    found, must = ("other values", "the same") if found == must else (found, must)
                    yield f"Invalid {name}{of}: rank {rank} has {found}, it must be {must}, as on rank {lead}"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return _form(one) == _form(other) and one.equal(other)
    return type(one) is type(other) and one == other


def _plain(value: Any) -> str:
    if isinstance(value, Tensor):
        return repr(value.item()) if value.numel() == 1 else _form(value)
    return value if isinstance(value, str) else reprlib.repr(value)


def _form(tensor: Tensor) -> str:
    return f"{tensor.dtype} of shape {tuple(tensor.shape)}"
