"""Machines that are told of: what other programs dumped, and platforms as text for others."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.kernel.discovery.reports.machine_list import listed_platform as listed_platform
    from heapwire.kernel.discovery.reports.machine_report import (
        reported_machine as reported_machine,
    )
    from heapwire.kernel.discovery.reports.platform_tables import (
        Table as Table,
        platform_data as platform_data,
    )
    from heapwire.kernel.discovery.reports.toml_writer import toml_text as toml_text
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "machine_list": "listed_platform",
            "platform_tables": "Table platform_data",
            "machine_report": "reported_machine",
            "toml_writer": "toml_text",
        },
    )
