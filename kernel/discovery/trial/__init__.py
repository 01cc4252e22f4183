"""What devices take when they are asked, how they lay out rows, and what is kept of that."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.kernel.discovery.trial.frame_trial import takes_frame as takes_frame
    from heapwire.kernel.discovery.trial.host_pictures import (
        Picture as Picture,
        host_record as host_record,
        plane_pictures as plane_pictures,
        triable_by as triable_by,
    )
    from heapwire.kernel.discovery.trial.trial_store import TrialStore as TrialStore
    from heapwire.kernel.discovery.trial.tried_platform import (
        ask_devices as ask_devices,
        remembered as remembered,
        tried as tried,
        with_records as with_records,
    )
    from heapwire.kernel.discovery.trial.verdict import (
        DeviceRecord as DeviceRecord,
        Verdict as Verdict,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "frame_trial": "takes_frame",
            "host_pictures": "Picture host_record plane_pictures triable_by",
            "tried_platform": "ask_devices remembered tried with_records",
            "trial_store": "TrialStore",
            "verdict": "DeviceRecord Verdict",
        },
    )
