"""A page of the lab: one HTML file that needs no network, in the clothes that all of them share."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

_SCRIPTS = ("charts.js", "layout.js", "export.js", "page.js")
"""In the order in which they use each other; the skeleton wraps them in one function."""


def render(template: str, **context: Any) -> str:
    """Render one of the templates beside this file, with style, scripts and plotly inlined.

    Args:
        template: Its file name; it extends ``skeleton.html``.
        **context: What the template asks for; a name that it does not get is an error.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    loader = PackageLoader("lionkit_lab", "report")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(template).render(
        **context,
        style=_resource("style.css"),
        script="\n".join(map(_resource, _SCRIPTS)),
        plotly=get_plotlyjs(),
    )


def _resource(name: str) -> str:
    return files("lionkit_lab.report").joinpath(name).read_text(encoding="utf-8")
