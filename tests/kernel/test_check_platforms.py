"""What platforms quote of the kernel's source, on a tree of a few lines."""

import pytest
from check_platforms import check_platforms
from kernel_source import KernelSource

TREE = """
soc {
    vop: vop@1000 {
        reg = <0x1000 0x100>; /* iommus = <&none> */
        iommus = <&vop_mmu>;
    };
};
"""
BOARD = """
title = "A board"

[[device]]
name = "display"
kind = "display"
source = "{}"

[[device.use]]
usage = "scanout"
constraints = [
  {{ type = "contiguous", source = "the datasheet" }},
]
"""


@pytest.fixture
def checked(tmp_path):
    """What comes of a board whose display quotes something."""

    def checked(quote):
        file = tmp_path / "linux" / "arch/arm/boot/dts/soc.dtsi"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(TREE)
        (tmp_path / "board.toml").write_text(BOARD.format(quote))
        return check_platforms(tmp_path, KernelSource(tmp_path / "linux"))

    return checked


def test_what_stands_in_the_source_is_counted(checked):
    assert checked("arch/arm/boot/dts/soc.dtsi: vop: iommus = <&vop_mmu>") == (1, [])


@pytest.mark.parametrize(
    ("quote", "told"),
    [
        ("arch/arm/boot/dts/soc.dtsi: vop: iommus = <&none>", "does not say"),  # a comment
        ("arch/arm/boot/dts/soc.dtsi: vop: iommus = <&gpu_mmu>", "does not say"),
        ("arch/arm/boot/dts/soc.dtsi: gpu: iommus = <&gpu_mmu>", "has no gpu"),
        ("arch/arm/boot/dts/other.dtsi: vop: iommus = <&vop_mmu>", "cannot be read"),
    ],
)
def test_what_does_not_is_told(checked, quote, told):
    count, [fault] = checked(quote)
    assert count == 1
    assert fault.startswith("board: ")
    assert told in fault


@pytest.mark.parametrize("words", ["the board's device tree", "arch/arm/boot/dts/soc.dtsi: vop"])
def test_what_quotes_nothing_is_not_looked_up(checked, words):
    assert checked(words) == (0, [])
