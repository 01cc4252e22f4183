"""TOML files that people write: read whole, key by key, each fault told with its line."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.kernel.description.toml.text_file import (
        LineFault as LineFault,
        json_excess as json_excess,
        read_text_file as read_text_file,
    )
    from heapwire.kernel.description.toml.toml_file import (
        TomlFileError as TomlFileError,
        fault_line as fault_line,
        on_lines as on_lines,
        parse_toml as parse_toml,
    )
    from heapwire.kernel.description.toml.toml_position import (
        TomlPath as TomlPath,
        key_lines as key_lines,
    )
    from heapwire.kernel.description.toml.toml_table import (
        MOST_FAULTS as MOST_FAULTS,
        MOST_TABLES as MOST_TABLES,
        EnoughFaultsError as EnoughFaultsError,
        TomlFault as TomlFault,
        TomlTable as TomlTable,
        did_you_mean as did_you_mean,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "text_file": "LineFault json_excess read_text_file",
            "toml_file": "TomlFileError fault_line on_lines parse_toml",
            "toml_position": "TomlPath key_lines",
            "toml_table": (
                "EnoughFaultsError MOST_FAULTS MOST_TABLES TomlFault TomlTable did_you_mean"
            ),
        },
    )
