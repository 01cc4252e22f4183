"""The check of the kernel patches, on the patches and on some that are wrong."""

from pathlib import Path

import pytest
from check_patches import application_faults, form_faults, read_series, style_faults

PATCHES = Path(__file__).parents[2] / "kernel" / "patches"
NAME = "0001-lib-acme-Count-to-three.patch"
GOOD = """\
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: Some Body <some.body@example.org>
Date: Mon, 23 Nov 2026 20:24:14 +0000
Subject: [PATCH 1/1] lib: acme: Count to three

Two is not enough.

Signed-off-by: Some Body <some.body@example.org>
---
 lib/acme.c | 4 +++-
 1 file changed, 3 insertions(+), 1 deletion(-)

diff --git a/lib/acme.c b/lib/acme.c
index 1..2 100644
--- a/lib/acme.c
+++ b/lib/acme.c
@@ -1,3 +1,5 @@
 one

-two
+two of them
+and
+three
"""


@pytest.fixture
def series(tmp_path):
    def write(text=GOOD, name=NAME):
        (tmp_path / name).write_text(text)
        return read_series(tmp_path)

    return write


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "acme.c").write_text("one\n\ntwo\n")
    return folder


@pytest.mark.parametrize("folder", [PATCHES, PATCHES / "7.2"], ids=["6.12", "7.2"])
def test_the_series_are_as_git_makes_them(folder):
    series = read_series(folder)
    assert len(series) > 9
    assert list(form_faults(series)) == []


@pytest.mark.system("patch")
def test_a_good_patch_has_no_faults(series, source):
    found = series()
    assert list(form_faults(found)) == []
    assert list(application_faults(found, source)) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("From 0000", "From 1234", "begin as git"),
        ("[PATCH 1/1]", "[PATCH 2/3]", "says 2/3, and it is 1 of 1"),
        ("Count to three", "Count to four", "its name is not made of its subject"),
        ("Signed-off-by: Some Body", "Signed-off-by: Any Body", "not signed it off"),
        ("3 insertions(+)", "2 insertions(+)", "(1, 2, 1)"),
        ("1 file changed", "2 files changed", "(2, 3, 1)"),
        ("+and\n", "", "its last hunk is cut off"),
        ("+and\n", "+and\n+so on\n", "more lines than it says, at: +three"),
        ("-two\n", "two\n", "other lines than it says, at: two"),
    ],
)
def test_a_fault_is_named(series, old, new, fault):
    assert old in GOOD
    (found, *_) = form_faults(series(GOOD.replace(old, new, 1)))
    assert found.startswith(f"{NAME}: ")
    assert fault in found


def test_a_gap_in_the_numbers_is_a_fault(series):
    series()
    (fault,) = form_faults(series(GOOD.replace("[PATCH 1/1]", "[PATCH]"), "0003" + NAME[4:]))
    assert "gaps" in fault


@pytest.mark.system("patch")
def test_what_does_not_apply_is_named(series, source):
    (source / "lib" / "acme.c").write_text("one\n\ntwo already\n")
    (fault,) = application_faults(series(), source)
    assert fault.startswith(f"{NAME}: it does not apply")


@pytest.mark.system("patch")
def test_a_patch_builds_on_those_before_it(series, source):
    second = GOOD.replace("-two\n", " two of them\n-and\n").replace("+two of them\n+and\n", "")
    second = second.replace("@@ -1,3 +1,5 @@", "@@ -1,5 +1,4 @@").replace("+three", "-three\n+3")
    found = series(second, "0002" + NAME[4:])
    (fault,) = application_faults(found, source)
    assert fault.startswith("0002")
    assert list(application_faults(series(), source)) == []


def test_what_checkpatch_says_is_a_fault(series, source):
    program = source / "scripts" / "checkpatch.pl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho '-:17: WARNING:LONG_LINE: too long'\nexit 1\n")
    program.chmod(0o755)
    (fault,) = style_faults(series(), source)
    assert fault == f"{NAME}: checkpatch.pl: 17: WARNING:LONG_LINE: too long"
