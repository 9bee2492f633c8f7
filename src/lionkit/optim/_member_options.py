"""The options that a member has beyond those of a parameter group."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any


def check_no_member_options(member: type, options: Mapping[str, Any], group: Mapping[str, Any]) -> None:
    """Raise where a group sets an option that its member takes for all groups alike, and that nothing would read.

    Args:
        member: The class of the optimizer.
        options: Those that a group may have, by name.
        group: A parameter group as a user gives it; other names in it are the user's own.

    Raises:
        ValueError: with the option, its value and what to give the group instead.
    """
    own = inspect.signature(member).parameters.keys() - options.keys() - {"params", "options"}
    for name in sorted(own & group.keys()):
        raise ValueError(
            f"Invalid option of a group: {name}={group[name]!r}, {member.__name__} has one {name} for all groups; "
            "what may differ is that of lionkit.LionK: betas, kappa, gradient, direction, momentum_rank"
        )
