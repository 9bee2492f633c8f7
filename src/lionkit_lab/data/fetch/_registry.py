"""The addresses of the registries, as the user has set them up."""

import os
import shutil
import subprocess
from urllib.parse import quote, urlsplit

from lionkit_lab.data.fetch._packages import Package, Registry
from lionkit_lab.errors import UsageError

DEFAULT: dict[Registry, str] = {"npm": "https://registry.npmjs.org", "debian": "https://deb.debian.org"}
DEBIAN_MIRROR = "LIONKIT_DEBIAN_MIRROR"


def url(package: Package) -> str:
    """Return the address of the package's archive.

    npm: below ``$NPM_CONFIG_REGISTRY``, or what ``npm config get registry`` says where there is npm, or the public
    registry. Debian: below ``$LIONKIT_DEBIAN_MIRROR``, or the public mirror.

    Raises:
        UsageError: The user's setting is no http or https address.
    """
    base = _npm() if package.registry == "npm" else os.environ.get(DEBIAN_MIRROR)
    base = base or DEFAULT[package.registry]
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f'{package.registry} registry "{base}" is not allowed: must start with http:// or https://')
    return f"{base.rstrip('/')}/{quote(package.path, safe='/@~')}"


def _npm() -> str | None:
    # npm takes its variables in either case.
    set_ = next((value for name, value in os.environ.items() if name.upper() == "NPM_CONFIG_REGISTRY"), None)
    program = shutil.which("npm")
    if set_ or not program:
        return set_
    # npm reads its own settings: they are spread over several files, and hold more than an address.
    said = subprocess.run([program, "config", "get", "registry"], capture_output=True, text=True, check=False)
    return said.stdout.strip() if said.returncode == 0 else None
