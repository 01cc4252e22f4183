"""What every room needs of Linux: ioctl, files of memory, and what has to be given back."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.kernel.system.installed_version import (
        own_version as own_version,
        package_version as package_version,
    )
    from heapwire.kernel.system.ioctl_call import (
        Ioctl as Ioctl,
        IoctlArgument as IoctlArgument,
        ioctl as ioctl,
    )
    from heapwire.kernel.system.memory_file import (
        FIXED_SIZE as FIXED_SIZE,
        read_only as read_only,
        sealed_copy as sealed_copy,
        sealed_memfd as sealed_memfd,
    )
    from heapwire.kernel.system.owner import Owner as Owner
    from heapwire.kernel.system.toolchain import (
        c_compiler as c_compiler,
        tool_output as tool_output,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "toolchain": "c_compiler tool_output",
            "owner": "Owner",
            "ioctl_call": "Ioctl IoctlArgument ioctl",
            "installed_version": "own_version package_version",
            "memory_file": "FIXED_SIZE read_only sealed_copy sealed_memfd",
        },
    )
