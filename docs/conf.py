"""Settings of the pages in build/site; `make site` runs Sphinx with them."""

import sys
from types import ModuleType

from docutils.utils.math.latex2mathml import tex2mathml

from ldn_meta import files
from ldn_meta.evidence.raw.review import load_review

project = load_review(files.raw_data()).title
author = "The ldn-meta contributors"
project_copyright = author
html_title = project

extensions = ["myst_nb"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3

# Notebooks come executed; a page never runs anything.
nb_execution_mode = "off"


class _Nothing(ModuleType):
    __path__ = ()

    def __getattr__(self, name):
        return object


# What would run them brings a database that takes a third of the start of Sphinx to import.
for _unused in ("", ".base", ".cache", ".cache.db", ".executors", ".executors.utils"):
    sys.modules.setdefault(f"jupyter_cache{_unused}", _Nothing(f"jupyter_cache{_unused}"))
nb_merge_streams = True
nb_output_stderr = "remove"
nb_code_prompt_show = "Show code"
nb_code_prompt_hide = "Hide code"

# The same bytes from the same reports: no dates.
html_last_updated_fmt = None
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
# A summary in the list of hits is fetched from its page, which no browser allows for file://.
html_show_search_summary = False

html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
html_css_files = ["ldn.css"]
html_js_files = ["ldn.js"]
html_context = {"default_mode": "auto"}
# The pages of studies are many: the list of all pages beside each of them would be half the site.
templates_path = ["_templates"]
html_sidebars = {
    "studies/index": ["navbar-logo.html", "search-button-field.html", "sbt-sidebar-nav.html"],
    "studies/*": ["navbar-logo.html", "search-button-field.html", "study-nav.html"],
}
html_theme_options = {
    "article_header_end": ["search-link.html"],
    # A condition is one page; those it is made of are listed on it and on each other.
    "max_navbar_depth": 1,
    "home_page_in_toc": False,
    "navbar_persistent": [],
    "primary_sidebar_end": [],
    # Figures and tables need the width more than a second list of headings does.
    "secondary_sidebar_items": [],
    "use_download_button": False,
    "use_fullscreen_button": False,
}


def _inline_math(self, node):
    from docutils import nodes

    self.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _block_math(self, node):
    from docutils import nodes

    self.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app):
    """Render formulas as MathML: browsers show it, and nothing is fetched from elsewhere."""
    app.add_html_math_renderer("mathml", (_inline_math, None), (_block_math, None))


html_math_renderer = "mathml"
