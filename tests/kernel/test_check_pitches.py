"""Which refusals of a pitch have no row, on a tree of a few lines."""

import pytest
from check_pitches import pitch_faults
from kernel_source import KernelSource

FILE = "drivers/gpu/drm/acme/acme_plane.c"
REFUSES = """
static int acme_atomic_check(struct drm_plane *plane,
                             struct drm_plane_state *state)
{
    if (plane->old &&
        state->fb->pitches[0] % (ACME_BUS)) {
        dev_dbg(plane, "pitch\\n");
        return -EINVAL;
    }
    return 0;
}
"""
TAKES = """
static int acme_update(struct drm_plane_state *state)
{
    /* if (fb->pitches[0]) return -EINVAL; */
    if (state->fb->pitches[0])
        write(state->fb->pitches[0]);
    if (!state->crtc)
        return -EINVAL;
    return 0;
}
"""


@pytest.fixture
def faults(tmp_path):
    """What is found where one file has a text, and the rows of pitches were read in others."""

    def faults(text: str, *rows: tuple[str, str], file: str = FILE) -> list[str]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text, "utf-8")
        return pitch_faults(KernelSource(tmp_path), rows)

    return faults


def test_a_refusal_without_a_row_is_told_with_its_condition(faults) -> None:
    [fault] = faults(TAKES + REFUSES)
    assert "acme_atomic_check" in fault
    assert FILE in fault
    assert "plane->old && state->fb->pitches[0] % (ACME_BUS)" in fault


@pytest.mark.parametrize(
    ("type_", "where", "covered"),
    [
        ("pitch-alignment", f"{FILE}: acme_atomic_check: ACME_BUS", True),
        ("exact-pitch", "drivers/gpu/drm/acme/regs/acme_regs.h: ACME_BUS", True),
        ("tied-pitch", "drivers/gpu/drm/other/other.c: other_check", False),
        ("pitch-alignment", "drivers/gpu/drm/drm_framebuffer.c: framebuffer_check", False),
        ("contiguous", f"{FILE}: acme_probe", False),
        ("pitch-alignment", "Mesa", False),
    ],
)
def test_a_row_of_the_drivers_folder_is_what_is_asked_for(faults, type_, where, covered) -> None:
    assert (not faults(REFUSES, (type_, where))) is covered


@pytest.mark.parametrize(
    ("text", "file"),
    [
        (TAKES, FILE),
        (REFUSES, "drivers/gpu/drm/drm_framebuffer.c"),
        (REFUSES.replace("acme_atomic_check", "hyperv_pipe_check"), FILE),
        ("int acme(void)\n{\n    if (fb->pitches[0] &&\n}\n", FILE),  # half of an #ifdef
    ],
)
def test_what_refuses_no_pitch_is_not_told(faults, text, file) -> None:
    assert faults(text, file=file) == []


def test_what_is_refused_from_a_number_on_stands_for_the_number_below(tmp_path) -> None:
    (tmp_path / "acme.c").write_text("", "utf-8")
    for header in (
        *("include/uapi/drm/drm_fourcc.h", "include/drm/drm_fourcc.h", "include/linux/sizes.h"),
        *("include/uapi/linux/videodev2.h", "include/drm/drm_atomic_helper.h"),
    ):
        (tmp_path / header).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / header).write_text("", "utf-8")
    found = KernelSource(tmp_path).numbers("acme.c", "pitches[0] >= 65536")
    assert {65535, 65536} <= found
