"""Which displays import nothing and have no such row, on a tree of a few lines."""

import pytest
from check_imports import import_faults
from kernel_source import KernelSource

FILE = "drivers/gpu/drm/acme/acme_drv.c"
DRIVER = """
static const struct drm_driver acme_driver = {{
    .driver_features = {features},
    .dumb_create = acme_dumb_create, /* no .gem_prime_import = acme_import */
    {more}
    .name = "acme",
}};
"""
REFUSAL = (
    "drivers/gpu/drm/drm_prime.c: drm_gem_prime_import_dev: "
    "if (!dev->driver->gem_prime_import_sg_table) return ERR_PTR(-EINVAL)"
)


def profile(source=REFUSAL, name="acme"):
    row = {"type": "permitted-sources", "value": ["itself"], "source": source}
    return {"api-drivers": [name], "use": [{"usage": "scanout", "constraints": [row]}]}


@pytest.fixture
def faults(tmp_path):
    """What is found of a driver with these lines, and these profiles."""

    def faults(*profiles, more="", features="DRIVER_GEM | DRIVER_MODESET"):
        (tmp_path / FILE).parent.mkdir(parents=True)
        (tmp_path / FILE).write_text(DRIVER.format(features=features, more=more), "utf-8")
        return import_faults(KernelSource(tmp_path), profiles)

    return faults


def test_a_display_that_imports_nothing_has_a_row(faults):
    assert faults(profile()) == []


@pytest.mark.parametrize(
    "other", [profile(name="other"), profile("drivers/gpu/drm/acme/acme.c: acme_import: -ENODEV")]
)
def test_without_a_row_it_is_told(faults, other):
    assert "no row says that acme imports nothing" in faults(other)


@pytest.mark.parametrize(
    "more",
    [
        ".gem_prime_import_sg_table = acme_import_sg_table,",
        ".gem_prime_import = acme_import,",
        "DRM_GEM_DMA_DRIVER_OPS_WITH_DUMB_CREATE(acme_dumb_create),",
        "DRM_GEM_SHMEM_DRIVER_OPS,",
    ],
)
def test_of_one_that_does_no_row_says_so(faults, more):
    assert faults(profile(), more=more) == ["a row says that acme imports nothing"]


def test_a_card_without_a_display_is_no_matter_of_this(faults):
    assert faults(features="DRIVER_GEM | DRIVER_RENDER") == []
