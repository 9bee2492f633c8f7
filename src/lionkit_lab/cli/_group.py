"""Errors in the command line itself, as one line."""

import sys
from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup

from lionkit_lab.cli._errors import print_error
from lionkit_lab.errors import UsageError, nearest


class OneLineGroup(TyperGroup):
    """The commands; an error in how one was called is one line as well, and not typer's box."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **extra: Any) -> Any:
        """Run the command line and leave with its exit code; without arguments, show the help."""
        args = list(sys.argv[1:] if args is None else args) or ["--help"]
        try:
            code = super().main(args, *others, **extra | {"standalone_mode": False})
        except Exception as error:
            message = _message(error)
            if message is None:
                raise
            print_error(message)
            code = getattr(error, "exit_code", 1)
        sys.exit(code)

    # The context's class is click's or typer's own, as the version of typer has it.
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command, or name the nearest one."""
        name, known = args[0], list(self.commands)
        if name not in known and not name.startswith("-"):
            raise UsageError(f'command "{name}" is not known{nearest(name, known)}; known: {", ".join(known)}')
        return super().resolve_command(ctx, args)


def _message(error: Exception) -> str | None:
    """Return the message of an error in the command line; None for any other."""
    if isinstance(error, UsageError):
        return str(error)
    # typer's own; their class, too, is click's or typer's.
    format_message = getattr(error, "format_message", None)
    return format_message() if format_message else None
