"""How the documentation site is built: `make docs`, warnings are errors."""

import tomllib
from pathlib import Path

_PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "git pivot"
release = version = _PROJECT["version"]
author = "the git pivot authors"
copyright = author  # noqa: A001 (the name that Sphinx reads)

extensions = ["myst_parser"]
exclude_patterns = ["man", "examples"]
myst_heading_anchors = 3
nitpicky = True

html_theme = "furo"
html_title = f"{project} {release}"
html_show_sphinx = False
html_copy_source = False
