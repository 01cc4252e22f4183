"""What a person meets: the command line, standard output, files, the exit status."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.cli.terminal.argument_parser import (
        ArgumentParser as ArgumentParser,
        SlipError as SlipError,
        did_you_mean as did_you_mean,
        slip as slip,
    )
    from heapwire.cli.terminal.exit_status import (
        DONE as DONE,
        FAILED as FAILED,
        NO_COMPOSITOR as NO_COMPOSITOR,
        USAGE as USAGE,
        status_of as status_of,
    )
    from heapwire.cli.terminal.output import (
        SCHEMA_VERSION as SCHEMA_VERSION,
        begin_output as begin_output,
        complain as complain,
        documents as documents,
        fail as fail,
        flush as flush,
        open_standard_streams as open_standard_streams,
        say as say,
        show as show,
        texts as texts,
        warn as warn,
    )
    from heapwire.cli.terminal.output_file import (
        OutputFile as OutputFile,
        Written as Written,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "argument_parser": "ArgumentParser SlipError did_you_mean slip",
            "exit_status": "DONE FAILED NO_COMPOSITOR USAGE status_of",
            "output": (
                "SCHEMA_VERSION begin_output complain documents fail flush open_standard_streams "
                "say show texts warn"
            ),
            "output_file": "OutputFile Written",
        },
    )
