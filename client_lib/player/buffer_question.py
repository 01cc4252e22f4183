"""What is asked for pictures such as come next, and what is done without where that cannot be."""

from __future__ import annotations

from heapwire.client_lib.negotiation import BufferSupply, ConflictError, Negotiation
from heapwire.client_lib.player.decoding import StandIns
from heapwire.client_lib.player.picture_stream import BufferNeeds
from heapwire.protocol.solver import STREAM
from heapwire.protocol.values import Extents

IN_FLIGHT = 1  # buffers more, so that the next picture is ready when the screen wants it


class BufferQuestion:
    """Gets buffers for the pictures of a stream, with as little done without as can be.

    Where no memory has room for all, it does with those that the producer and the compositor
    hold; then without the `stand_ins`, which decode nothing. Other conflicts stay.
    """

    def __init__(
        self, negotiation: Negotiation, supply: BufferSupply, stand_ins: StandIns | None = None
    ) -> None:
        self._negotiation = negotiation
        self._supply = supply
        self._stand_ins = stand_ins
        self._notes: dict[str, None] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done without, as sentences, and why decoders take no part."""
        return (*self._notes, *(() if self._stand_ins is None else self._stand_ins.notes))

    def ask(self, needs: BufferNeeds) -> None:
        """Have buffers for such pictures.

        Raises what `BufferSupply.negotiate` raises; of several conflicts the one about all
        that was wanted.
        """
        negotiation = self._negotiation
        negotiation.set_extents(Extents(coded=needs.coded, visible=needs.extent))
        negotiation.set_content(needs.content)
        negotiation.set_participant(needs.producer)
        negotiation.set_fixed(needs.fixed)
        for name, decoder in () if self._stand_ins is None else self._stand_ins.change(needs):
            if decoder is not None:
                negotiation.set_participant(decoder)
            else:
                negotiation.remove_participant(name)
        try:
            self._negotiate(needs)
        except ConflictError as error:
            if not _lacks_room(error) or self._stand_ins is None:
                raise
            names = self._stand_ins.leave_out(_text(error))
            if not names:
                raise
            for name in names:
                negotiation.remove_participant(name)
            try:
                self._negotiate(needs)
            except ConflictError:
                raise error from None

    def _negotiate(self, needs: BufferNeeds) -> None:
        """Ask for all the buffers that are wanted, and then for as few as will do."""
        self._negotiation.set_buffer_count(minimum=needs.held, queue=IN_FLIGHT)
        try:
            self._supply.negotiate(needs.extent)
        except ConflictError as error:
            if not _lacks_room(error):
                raise
            self._negotiation.set_buffer_count(minimum=needs.held, queue=0)
            try:
                self._supply.negotiate(needs.extent)
            except ConflictError:
                raise error from None
            self._notes.setdefault(f"done with as few buffers as will do: {_text(error)}")


def _lacks_room(error: ConflictError) -> bool:
    """Whether the number of buffers is among what stands in the way.

    That is the stream's only requirement. A compositor that calls it otherwise is not asked again.
    """
    return any(entry.participant == STREAM for entry in error.entries)


def _text(error: ConflictError) -> str:
    """The sentence, without the lines that take it apart."""
    return str(error).partition("\n")[0]
