"""How Sphinx builds the documentation: `make docs`, or python -m sphinx -W docs docs/_build."""

import os
import sys
from importlib.metadata import metadata
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import prepare  # noqa: E402

project = "ckmeans"
author = "The ckmeans developers"
copyright = author
URLS = dict(line.split(", ", 1) for line in metadata("certified-kmeans").get_all("Project-URL"))
release = version = version_of("certified-kmeans")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = [
    "_build",
    "_templates",
    "examples",
    "made",
    "**/sg_execution_times.rst",
    "sg_execution_times.rst",
]
templates_path = ["_templates"]
smartquotes = False  # --report is no dash
default_role = "autolink"  # `KMeans` in a docstring is a link where there is such a name
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say it in words
numpydoc_show_class_members = False  # methods are listed by the templates
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "questions",
    "backreferences_dir": "made/backreferences",
    "doc_module": ("ckmeans",),
    "filename_pattern": r"/\d\d_",  # all of them run, in this order
    "within_subsection_order": "FileNameSortKey",
    "reset_modules": ("style.reset",),
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 60,
    "download_all_examples": False,
    "image_srcset": ["2x"],
    "abort_on_example_error": True,
}

# Where the site is, if it is anywhere yet: READTHEDOCS_CANONICAL_URL=https://.../ make docs. Previews take no relative address.
html_baseurl = os.environ.get("READTHEDOCS_CANONICAL_URL", "")
html_baseurl += "/" * (html_baseurl[-1:] not in ("", "/"))
html_context = {"site": html_baseurl}

html_theme = "pydata_sphinx_theme"
html_title = "ckmeans"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_css_files = ["ckmeans.css"]
html_show_sourcelink = False
html_extra_path = ["made/files"]
html_theme_options = {
    "logo": {"text": "ckmeans", "image_light": "_static/logo.svg", "image_dark": "_static/logo.svg"},
    "show_prev_next": True,
    "icon_links": [
        {"name": "Source", "url": URLS["Source"], "icon": "fa-brands fa-github"},
        {"name": "Issues", "url": URLS["Issues"], "icon": "fa-regular fa-circle-question"},
    ],
    "header_links_before_dropdown": 7,
    "navigation_with_keys": False,
    "navbar_align": "left",
    "secondary_sidebar_items": {"reference/generated/*": ["page-toc"], "proofs": ["page-toc"]},
    "show_nav_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}
ALONE = (
    "index install command proofs checking cheatsheet figures benchmarks default proved changelog migration"
)
html_sidebars = {name: [] for name in ALONE.split()}

prepare.everything(HERE / "made")
