"""The command `lionkit`, also as `python -m lionkit_lab`."""

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the command line, or say what it needs."""
    if find_spec("typer") is None:
        print('error: the command line needs more packages: pip install "lionkit[lab]"', file=sys.stderr)
        raise SystemExit(2)
    from lionkit_lab.cli import app

    app()


if __name__ == "__main__":
    main()
