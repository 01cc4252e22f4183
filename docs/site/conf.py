"""How Sphinx makes build/docs of the pages that docs/site/site_pages.py has laid out."""

from pathlib import Path

from heapwire.kernel.system import own_version

project = "heapwire"
version = release = own_version()
language = "en"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
smartquotes = False  # -- stands for an option here, and for no dash
exclude_patterns = ["examples/**", "as-they-are/**", "static/**"]
_laid_out = Path(__file__).parents[2] / "build/docs-pages"
html_extra_path = [str(_laid_out / "as-they-are")]
html_static_path = [str(_laid_out / "static")]
html_css_files = ["plans.css"]
html_theme = "furo"
html_title = f"heapwire {release}"
html_show_copyright = False
html_copy_source = False

# A heading has the anchor that it has on a forge, so that links lead to it in both places.
myst_heading_anchors = 4

# In docstrings, what stands in single quotes is a name; it is a link where that is documented.
default_role = "py:obj"
autodoc_member_order = "groupwise"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
