"""What is asked of the kernel and of the host about the machine, without holding the loop."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.compositor_plugin.machine.host_trials import (
        MOST_TESTS as MOST_TESTS,
        HostTrials as HostTrials,
    )
    from heapwire.compositor_plugin.machine.machine_watch import MachineWatch as MachineWatch
    from heapwire.compositor_plugin.machine.worker import Task as Task, Worker as Worker
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "host_trials": "MOST_TESTS HostTrials",
            "machine_watch": "MachineWatch",
            "worker": "Task Worker",
        },
    )
