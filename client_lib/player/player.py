"""A video player: decodes a file into negotiated buffers and shows them in time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from heapwire.client_lib.buffers import Keyboard, LinuxDmabuf, Window
from heapwire.client_lib.negotiation import (
    BufferSupply,
    NegotiationManager,
    offered_manager,
    surface_negotiation,
)
from heapwire.client_lib.player.decoding import (
    AUTO,
    CPU,
    CpuPictureStream,
    StandIns,
    is_fwht,
    open_picture_stream,
)
from heapwire.client_lib.player.keys import key_handler
from heapwire.client_lib.player.picture_stream import PictureStream
from heapwire.client_lib.player.play_result import FrameFate, PlayResult
from heapwire.client_lib.player.playback import Controls, Playback, PlayOptions, Progress, Screen
from heapwire.client_lib.wayland import Connection
from heapwire.kernel.description import DeviceKind, Platform
from heapwire.protocol import InputError, MachineError, NotPossibleError
from heapwire.protocol.values import Participant, Usage
from heapwire.protocol.wire import Explanation

# What a device, or the lack of memory for it, stands in the way with: the CPU has neither.
# A bug of the caller's is not among them, and neither is a compositor that is gone.
_ANOTHER_DECODER_MAY_DO = (MachineError, InputError, NotPossibleError)


class Player:
    """Plays one file, once, with `play`.

    `display` is the socket of the compositor, as for `Connection`. `platform` is
    the machine that the player allocates on, None to leave that to the
    compositor; it makes the plans too if the compositor cannot (see
    `local_negotiation`). A decoder of a real one decodes into the buffers that are
    shown. Where it is simulated, its decoders take part in the negotiation as if
    they decoded, and the CPU stands in for them. `participants` take part
    besides. `on_progress` is called after each frame, `on_last_frame` when the
    last one is on the screen and the window about to be closed; `on_fate` with what became of
    each frame, as soon as that is known.
    """

    def __init__(
        self,
        path: str | Path,
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
        self._path = path
        self._display = display
        self._platform = platform
        self._participants = tuple(participants)
        self._options = options or PlayOptions()
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
        """Play the file to its end, or until `stop` or the window's close button.

        Raises `FileError` for a file that cannot be decoded and `InputError` for a decoder
        that there is not; `MachineError` if a device fails or PyAV is missing;
        `NoCompositorError`, `MissingGlobalError`; `ConflictError` or `NegotiationError`
        if there is no memory that suits everyone; `AllocationError` or
        `ImportRefusedError`; `ProtocolError`, `DisconnectedError` or `NoAnswerError` if
        the compositor ends or hangs. All it made is destroyed and closed in any case.
        """
        options = self._options
        faults: list[str] = []
        with contextlib.ExitStack() as stack:
            pictures = self._opened(options.decoder, faults)
            stack.callback(lambda: pictures.close())  # of those that are played in the end
            wake = stack.enter_context(_eventfd())
            self._wake = wake
            stack.callback(setattr, self, "_wake", None)
            connection = stack.enter_context(Connection(self._display))
            manager = offered_manager(connection, self._platform, timeout=options.timeout)
            dmabuf = LinuxDmabuf(connection, timeout=options.timeout)
            window = Window(
                connection,
                title=os.fsencode(Path(self._path).name).decode("utf-8", "replace"),
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
                return self._shown(screen, manager, dmabuf, pictures, faults)
            except _ANOTHER_DECODER_MAY_DO as error:
                if options.decoder != AUTO or not self._cpu_may_do(pictures) or window.mapped:
                    raise
                faults.append(f"{pictures.decoder}: {error}")
            pictures.close()
            pictures = self._opened(CPU, faults)
            return self._shown(screen, manager, dmabuf, pictures, faults)

    def _opened(self, decoder: str, faults: list[str]) -> PictureStream:
        return open_picture_stream(
            self._path,
            self._platform,
            decoder=decoder,
            formats=self._options.formats,
            faults=faults,
        )

    def _cpu_may_do(self, pictures: PictureStream) -> bool:
        return pictures.decoder != CPU and not is_fwht(self._path)

    def _shown(
        self,
        screen: Screen,
        manager: NegotiationManager | None,
        dmabuf: LinuxDmabuf,
        pictures: PictureStream,
        faults: list[str],
    ) -> PlayResult:
        """Show all pictures of a stream; then the window is closed."""
        options, window = self._options, screen.window
        negotiation = surface_negotiation(
            dmabuf, window.surface, self._platform, manager=manager, timeout=options.timeout
        )
        with contextlib.ExitStack() as stack:
            stack.callback(negotiation.close)
            if options.record:
                negotiation.events = []
            negotiation.set_explanation(Explanation.ALL)  # the result says why not other memory
            for participant in self._others(pictures):
                negotiation.set_participant(participant)
            supply = BufferSupply(
                negotiation,
                dmabuf,
                None if self._platform is None else self._platform.memory,
                check=pictures.check,
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
                stand_ins=self._stand_ins(pictures),
                controls=self._controls,
                on_fate=self._on_fate,
            )
            try:
                playback.play()
                if self._on_last_frame is not None:
                    self._on_last_frame()
                return playback.result(faults)
            finally:
                if window.mapped:
                    window.close()  # before its buffers go

    def _others(self, pictures: PictureStream) -> Iterator[Participant]:
        """Who takes part besides the one that fills the buffers."""
        yield from self._participants
        if self._platform is None or pictures.decoder != CPU:
            return
        for device in self._platform.devices:
            if device.kind is DeviceKind.CPU and Usage.CPU_WRITE in device.sets:
                yield self._platform.participant(device.name, Usage.CPU_WRITE)

    def _stand_ins(self, pictures: PictureStream) -> StandIns | None:
        """Simulated decoders; whoever asks for the CPU as decoder wants none."""
        platform, options = self._platform, self._options
        if platform is None or not platform.simulated or options.decoder == CPU:
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
