"""How Sphinx makes build/docs of the pages that docs/site/site_pages.py has laid out."""

from heapwire.kernel.system import own_version

project = "heapwire"
version = release = own_version()
language = "en"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["examples/**"]
html_theme = "alabaster"
html_theme_options = {
    "description": "Memory negotiation over Wayland",
    "page_width": "72rem",
    "fixed_sidebar": True,
}
html_show_copyright = False
html_copy_source = False

# A heading has the anchor that it has on a forge, so that links lead to it in both places.
myst_heading_anchors = 4

# In docstrings, what stands in single quotes is a name; it is a link where that is documented.
default_role = "py:obj"
autodoc_member_order = "groupwise"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
