"""The machine that this runs on, as its kernel tells: sysfs, KMS, links, trials, hot-plug."""

from typing import TYPE_CHECKING

from heapwire.protocol.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from heapwire.kernel.discovery.codec_sets import layout_sets as layout_sets
    from heapwire.kernel.discovery.connector import card_of_connector as card_of_connector
    from heapwire.kernel.discovery.device_use import participant_behind as participant_behind
    from heapwire.kernel.discovery.gpu import (
        NvidiaGpu as NvidiaGpu,
        list_nvidia as list_nvidia,
        with_gpu_formats as with_gpu_formats,
    )
    from heapwire.kernel.discovery.hot_plug import (
        DeviceEvent as DeviceEvent,
        HotPlug as HotPlug,
        Monitor as Monitor,
    )
    from heapwire.kernel.discovery.machine_discovery import local_platform as local_platform
    from heapwire.kernel.discovery.sysfs import same_device as same_device
    from heapwire.kernel.discovery.trial import (
        DeviceRecord as DeviceRecord,
        Picture as Picture,
        TrialStore as TrialStore,
        Verdict as Verdict,
        ask_devices as ask_devices,
        host_record as host_record,
        plane_pictures as plane_pictures,
        remembered as remembered,
        takes_frame as takes_frame,
        triable_by as triable_by,
        tried as tried,
        with_records as with_records,
    )
else:
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "codec_sets": "layout_sets",
            "connector": "card_of_connector",
            "device_use": "participant_behind",
            "gpu": "NvidiaGpu list_nvidia with_gpu_formats",
            "hot_plug": "DeviceEvent HotPlug Monitor",
            "machine_discovery": "local_platform",
            "sysfs": "same_device",
            "trial": (
                "DeviceRecord Picture TrialStore Verdict ask_devices host_record plane_pictures "
                "remembered takes_frame triable_by tried with_records"
            ),
        },
    )
