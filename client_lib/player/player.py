"""A video player: decodes a file into negotiated buffers and shows them in time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pywayland.protocol.wayland import WlShm

from heapwire.client_lib.buffers import Keyboard, SharedMemory, Window
from heapwire.client_lib.errors import AllocationError, ImportRefusedError, MissingGlobalError
from heapwire.client_lib.negotiation import (
    BufferSupply,
    NegotiationError,
)
from heapwire.client_lib.player.decoding import CPU, CpuPictureStream, StandIns, VideoMaterial
from heapwire.client_lib.player.keys import key_handler
from heapwire.client_lib.player.material import Material
from heapwire.client_lib.player.picture_stream import PictureStream
from heapwire.client_lib.player.pictures import with_all_formats
from heapwire.client_lib.player.play_result import FrameFate, PlayResult
from heapwire.client_lib.player.playback import Controls, Playback, PlayOptions, Progress, Screen
from heapwire.client_lib.player.ways import Negotiated, Shared, lacks_memory, loss_text
from heapwire.client_lib.wayland import Connection
from heapwire.kernel.description import DeviceKind, Platform
from heapwire.protocol import InputError, MachineError, NotPossibleError
from heapwire.protocol.late_dataclasses import replace
from heapwire.protocol.values import Participant, Usage
from heapwire.protocol.wire import Explanation

# What a device, or the lack of memory for it, stands in the way with: the CPU has neither.
# A bug of the caller's is not among them, and neither is a compositor that is gone.
_ANOTHER_WAY_MAY_DO = (MachineError, InputError, NotPossibleError)
# What wl_shm does without. Whether a negotiation failed for that is another question.
_WITHOUT_NEGOTIATION = (
    MissingGlobalError,
    AllocationError,
    ImportRefusedError,
    NegotiationError,
)


class Player:
    """Plays one file, by its path, or any other `Material`, once, with `play`.

    `display` is the socket of the compositor, as for `Connection`. `platform` is
    the machine that the player allocates on, None to leave that to the
    compositor; it makes the plans too if the compositor cannot (see
    `local_negotiation`). A decoder of a real one decodes into the buffers that are
    shown. Where it is simulated, its decoders take part in the negotiation as if
    they decoded, and the CPU stands in for them. `participants` take part
    besides. `on_progress` is called after each frame, `on_last_frame` when the
    last one is on the screen and the window about to be closed; `on_fate` with what became of
    each frame, as soon as that is known.

    Where linux-dmabuf or memory to negotiate about is missing, the frames go through `wl_shm`,
    and a sentence of the result says so (`PlayOptions.require_dmabuf` forbids it).
    """

    def __init__(
        self,
        material: str | Path | Material,
        *,
        display: str | int | None = None,
        platform: Platform | None = None,
        participants: Sequence[Participant] = (),
        options: PlayOptions | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        on_last_frame: Callable[[], None] | None = None,
        on_fate: Callable[[FrameFate], None] | None = None,
    ) -> None:
        self._on_fate = on_fate
        self._display = display
        self._platform = platform
        self._participants = tuple(participants)
        self._options = options or PlayOptions()
        self._material = (
            VideoMaterial(material, decoder=self._options.decoder, formats=self._options.formats)
            if isinstance(material, str | Path)
            else material
        )
        self._on_progress = on_progress
        self._on_last_frame = on_last_frame
        self._wake: int | None = None
        self._stopped = False
        self._controls = Controls()
        self._fullscreen = self._options.fullscreen

    def stop(self) -> None:
        """End `play` soon, with a result; may be called from a signal handler or a thread."""
        self._stopped = True
        self._wake_up()

    def set_fullscreen(self, wanted: bool) -> None:
        """Take the whole screen, or be a window again, from the next picture on.

        May be called from `on_progress`, a signal handler or a thread.
        """
        self._fullscreen = wanted

    def pause(self, paused: bool) -> None:
        """Stand still at the picture that is shown, or go on; from a thread too."""
        self._controls.paused = paused
        self._wake_up()

    def jump(self, seconds: float) -> None:
        """Go on so many seconds from where it is, where the decoder can; from a thread too."""
        self._controls.jump += seconds
        self._wake_up()

    def _toggle_fullscreen(self) -> None:
        self._fullscreen = not self._fullscreen

    def _wake_up(self) -> None:
        if self._wake is not None:
            os.eventfd_write(self._wake, 1)

    def play(self) -> PlayResult:
        """Play to the end, or until `stop` or the window's close button.

        Raises `FileError` for a file that cannot be decoded and `InputError` for a decoder
        that there is not; `MachineError` if a device fails or PyAV is missing;
        `NoCompositorError`, `MissingGlobalError`; `ConflictError` or `NegotiationError`
        if there is no memory that suits everyone; `AllocationError` or
        `ImportRefusedError`; `ProtocolError`, `DisconnectedError` or `NoAnswerError` if
        the compositor ends or hangs. All it made is destroyed and closed in any case.
        """
        options, material = self._options, self._material
        faults: list[str] = []
        with contextlib.ExitStack() as stack:
            pictures = material.open(self._platform, faults)
            stack.callback(lambda: pictures.close())  # of those that are played in the end
            wake = stack.enter_context(_eventfd())
            self._wake = wake
            stack.callback(setattr, self, "_wake", None)
            connection = stack.enter_context(Connection(self._display))
            window = Window(
                connection,
                title=material.title,
                fullscreen=options.fullscreen,
                timeout=options.timeout,
            )
            stack.callback(window.close)
            pressed = key_handler(
                self._controls, stop=self.stop, toggle_fullscreen=self._toggle_fullscreen
            )
            stack.callback(Keyboard(connection, pressed).close)
            screen = Screen(connection, window, wake)
            try:
                negotiated = Negotiated(connection, self._platform, options.timeout)
                while True:
                    try:
                        return self._shown(screen, negotiated, pictures, faults)
                    except _ANOTHER_WAY_MAY_DO as error:
                        another = material.other_way(pictures, self._platform, faults)
                        if another is None or window.mapped:
                            raise
                        faults.append(f"{pictures.decoder}: {error}")
                    pictures.close()
                    pictures = another()
            except _WITHOUT_NEGOTIATION as error:
                shared = None if window.mapped else self._shared(connection, error)
                if shared is None:
                    raise
                try:
                    pictures = material.written(pictures)
                except _ANOTHER_WAY_MAY_DO:
                    raise error from None
                faults.append(loss_text(error))
                return self._shown(screen, shared, pictures, faults)

    def _shared(self, connection: Connection, error: Exception) -> Shared | None:
        """The way through `wl_shm`, if it is one, and it was not forbidden."""
        options = self._options
        if options.require_dmabuf or not lacks_memory(error):
            return None
        if WlShm.name not in connection.globals(timeout=options.timeout):
            return None
        memory = SharedMemory(connection, timeout=options.timeout)
        if options.formats and not set(options.formats) & set(memory.formats):
            return None
        return Shared(memory)

    def _shown(
        self,
        screen: Screen,
        way: Negotiated | Shared,
        pictures: PictureStream,
        faults: list[str],
    ) -> PlayResult:
        """Show all pictures of a stream; then the window is closed."""
        options, window = self._options, screen.window
        options = replace(options, paced=options.paced and self._material.paced)
        negotiation = way.negotiation(window, pictures.own_memory)
        window.synchronise(simulated=way.simulated)
        with contextlib.ExitStack() as stack:
            stack.callback(negotiation.close)
            if options.record:
                negotiation.events = []
            negotiation.set_explanation(Explanation.ALL)  # the result says why not other memory
            for participant in self._others(pictures, way):
                negotiation.set_participant(participant)
            supply = BufferSupply(
                negotiation,
                way.importer,
                None if way.platform is None else way.platform.memory,
                check=pictures.check,
                make=pictures.make_buffer,
                timeout=options.timeout,
            )
            stack.enter_context(supply)
            playback = Playback(
                options=options,
                screen=screen,
                pictures=pictures,
                negotiation=negotiation,
                supply=supply,
                stopped=lambda: self._stopped or window.close_requested,
                fullscreen=lambda: self._fullscreen,
                on_progress=self._on_progress,
                stand_ins=self._stand_ins(pictures, way.platform),
                controls=self._controls,
                on_fate=self._on_fate,
            )
            try:
                playback.play()
                if self._on_last_frame is not None:
                    self._on_last_frame()
                return replace(playback.result(faults), shared=isinstance(way, Shared))
            finally:
                if window.mapped:
                    window.close()  # before its buffers go

    def _others(self, pictures: PictureStream, way: Negotiated | Shared) -> Iterator[Participant]:
        """Who takes part besides the one that fills the buffers; nobody else reads wl_shm."""
        platform = way.platform
        if isinstance(way, Shared):
            return
        yield from self._participants
        # The CPU writes what a GPU has decoded too, where it is downloaded.
        written = pictures.decoder == CPU or isinstance(pictures, CpuPictureStream)
        if platform is None or not written:
            return
        for device in platform.devices:
            if device.kind is DeviceKind.CPU and Usage.CPU_WRITE in device.sets:
                yield with_all_formats(platform.participant(device.name, Usage.CPU_WRITE))

    def _stand_ins(self, pictures: PictureStream, platform: Platform | None) -> StandIns | None:
        """Simulated decoders, where the CPU decodes; whoever asks for it as decoder wants none."""
        options = self._options
        if platform is None or not platform.simulated or options.decoder == CPU:
            return None
        if pictures.decoder != CPU:
            return None
        if not isinstance(pictures, CpuPictureStream):
            return None
        return StandIns(platform, formats=options.formats, coded=pictures.coded)


@contextlib.contextmanager
def _eventfd() -> Iterator[int]:
    fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    try:
        yield fd
    finally:
        os.close(fd)
