"""Errors as one line, and the exit codes."""

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, NoReturn

import typer

from lionkit_lab.errors import LabError, ToldElsewhereError

Debug = Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")]

LAB_PACKAGES = (
    "accelerate",
    "pillow",
    "datasets",
    "filelock",
    "jinja2",
    "matplotlib",
    "numpy",
    "optuna",
    "plotly",
    "pydantic",
    "rich",
    "safetensors",
    "tokenizers",
    "transformers",
    "typer",
)
"""What the extra "lab" installs."""

_TELLING = 10.0  # seconds: torchrun ends all processes when one has ended, and that should be the one that tells
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


@contextmanager
def one_line_errors(debug: bool) -> Iterator[None]:
    """Print an error as one line on stderr and leave with its exit code: 2 for usage, 1 for a run."""
    try:
        yield
    except ToldElsewhereError as error:
        time.sleep(_TELLING)
        raise typer.Exit(error.exit_code) from None
    except LabError as error:
        _leave(str(error), error.exit_code, debug)
    except OSError as error:
        _leave(str(error), 1, debug)
    except KeyboardInterrupt:
        _leave("interrupted; the same command goes on from the last checkpoint", _INTERRUPTED, debug)
    except Exception as error:  # The last resort of a command line: a bug, too, is one line and a code.
        module = error.name if isinstance(error, ModuleNotFoundError) else None
        package = "pillow" if module == "PIL" else module  # the one whose module bears another name
        if package in LAB_PACKAGES:
            _leave(f'package "{package}" is missing: pip install "lionkit[lab]"', 2, debug)
        what = f"{type(error).__name__}: {error}"
        _leave(f"internal error: {what}; run again with --debug for the traceback, and report it", 1, debug)


def print_error(message: str) -> None:
    """Print an error on stderr, as one line whatever it holds."""
    print("error:", *(line.strip() for line in message.splitlines()), file=sys.stderr)


def _leave(message: str, code: int, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exc()
    print_error(message)
    raise typer.Exit(code)
