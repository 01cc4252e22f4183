"""Pictures of a camera that nobody has seen, and whose doing that was."""

from __future__ import annotations


class LostPictures:
    """Counts them: by gaps in the driver's numbers, and those that were `overtaken`."""

    def __init__(self) -> None:
        self.overtaken = 0
        self._missed = 0
        self._last: int | None = None

    def came(self, sequence: int) -> None:
        """A picture with this number came from the driver."""
        if self._last is not None and sequence > self._last + 1:
            self._missed += sequence - self._last - 1
        self._last = sequence

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of it, as sentences."""
        notes = []
        if self._missed:
            notes.append(f"the camera had no free buffer for {self._missed} pictures")
        if self.overtaken:
            notes.append(f"{self.overtaken} pictures were passed over for newer ones")
        return tuple(notes)
