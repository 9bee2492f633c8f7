"""Sphinx configuration: `make docs` builds docs/_build/html, with warnings as errors."""

import lionkit

project = "lionkit"
author = "The lionkit developers"
copyright = "2026, The lionkit developers"
release = version = lionkit.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
default_role = "code"
intersphinx_mapping = {}  # the docs build without a network
html_theme = "furo"
html_title = "lionkit"
