"""Errors as one line, and the exit codes."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from lionkit_lab.errors import LabError

Debug = Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")]

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


@contextmanager
def one_line_errors(debug: bool) -> Iterator[None]:
    """Print an error as one line on stderr and leave with its exit code: 2 for usage, 1 for a run."""
    try:
        yield
    except LabError as error:
        _leave(str(error), error.exit_code, debug)
    except ModuleNotFoundError as error:
        _leave(f'package "{error.name}" is missing: pip install "lionkit[lab]"', 2, debug)
    except OSError as error:
        _leave(str(error), 1, debug)
    except KeyboardInterrupt:
        _leave("interrupted; the same command goes on from the last checkpoint", _INTERRUPTED, debug)


def _leave(message: str, code: int, debug: bool) -> None:
    if debug:
        traceback.print_exc()
    print(f"error: {message}", file=sys.stderr)
    raise typer.Exit(code)
