"""`wl_surface`: what a client wants to have on the screen.

State is set piece by piece (`pending`) and takes effect with a commit: at once
(`current`), or, for a synchronised subsurface, with its parent's (`cached`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from heapwire.compositor_plugin.hosts.reference.dmabuf import WlBuffer
from heapwire.compositor_plugin.hosts.reference.interface_tables import interface_table
from heapwire.compositor_plugin.hosts.reference.scene import (
    EMPTY,
    BufferHold,
    HeldCommit,
    Rect,
    SizeError,
    SurfaceCommit,
    surface_size,
)
from heapwire.compositor_plugin.hosts.reference.surface_error import SurfaceError
from heapwire.compositor_plugin.hosts.reference.wl_callback import WlCallback
from heapwire.compositor_plugin.hosts.reference.wl_region import WlRegion
from heapwire.compositor_plugin.server import (
    Listener,
    NewId,
    Resource,
    ViolationError,
)

if TYPE_CHECKING:
    from heapwire.compositor_plugin.hosts.reference.colours import (
        WpColorManagementSurfaceV1,
        WpColorRepresentationSurfaceV1,
    )
    from heapwire.compositor_plugin.hosts.reference.scene import Desktop, Output
    from heapwire.compositor_plugin.hosts.reference.surface_role import SurfaceRole
    from heapwire.compositor_plugin.hosts.reference.sync import WpLinuxDrmSyncobjSurfaceV1
    from heapwire.compositor_plugin.hosts.reference.wl_subsurface import WlSubsurface
    from heapwire.compositor_plugin.hosts.reference.wp_viewport import WpViewport

_OFFSET_VERSION = 5  # from here on attach's x and y have to be 0
_DEFUNCT_VERSION = 6  # from here on a surface must outlive its role object
_numbers = itertools.count(1)


class WlSurface(Resource):
    """A surface. `number` names it in records; it is never used again.

    `role_name` stays when the role object goes, as the protocol wants it.
    `stack` has the surface itself and its subsurfaces from bottom to top. `held` counts the
    commits that were made and have not taken effect, because what they wait for has not come.
    """

    INTERFACE = interface_table("wl_surface")
    VERSION = min(6, INTERFACE.version)
    WEIGHT = 8

    def __init__(self, new_id: NewId, desktop: Desktop) -> None:
        super().__init__(new_id)
        self.desktop = desktop
        self.number = next(_numbers)
        self.pending = SurfaceCommit()
        self.cached = SurfaceCommit()
        self.current = SurfaceCommit()
        self.size: tuple[int, int] | None = None
        self.role: SurfaceRole | None = None
        self.role_name: str | None = None
        self.parent: WlSurface | None = None
        self.subsurface: WlSubsurface | None = None
        self.viewport: WpViewport | None = None
        self.colours: WpColorRepresentationSurfaceV1 | None = None
        self.light: WpColorManagementSurfaceV1 | None = None
        self.sync: WpLinuxDrmSyncobjSurfaceV1 | None = None
        self.held = 0
        self.stack: list[WlSurface] = [self]
        self._next_stack: list[WlSurface] = [self]
        self.outputs: tuple[Output, ...] = ()
        self._waiting = False  # whether `cached` holds a commit
        self._parts_changed = False  # whether the next commit brings something for subsurfaces
        self._buffer: WlBuffer | None = None
        self._buffer_listener: Listener | None = None
        desktop.surfaces[self.address] = self

    # Requests.

    def destroy(self) -> None:
        """Destroy it; from version 6 on its role has to be gone."""
        if self.role is not None and self.version >= _DEFUNCT_VERSION:
            text = f"the {self.role_name} is still there"
            raise ViolationError(self, SurfaceError.DEFUNCT_ROLE_OBJECT, text)
        self.destroy_resource()

    def attach(self, buffer: WlBuffer | None, x: int, y: int) -> None:
        """Set the buffer that the next commit is to show."""
        if (x or y) and self.version >= _OFFSET_VERSION:
            raise ViolationError(self, SurfaceError.INVALID_OFFSET, "x and y have to be 0")
        self._forget_buffer()
        self.pending.attached = True
        self._buffer = buffer
        if buffer is not None:
            self._buffer_listener = Listener.on_resource(buffer.pointer, self._buffer_gone)

    def damage(self, x: int, y: int, width: int, height: int) -> None:
        """Everything is drawn anew in any case."""

    def damage_buffer(self, x: int, y: int, width: int, height: int) -> None:
        """Everything is drawn anew in any case."""

    def offset(self, x: int, y: int) -> None:
        """Windows are placed by the compositor: there is nothing to move."""

    def frame(self, new_id: NewId) -> None:
        """Call back when it is a good time to draw the frame after the next."""
        self.pending.frames.append(WlCallback(new_id))

    def set_opaque_region(self, region: WlRegion | None) -> None:
        """Say where nothing shines through."""
        opaque = region.region if region is not None else EMPTY
        self.pending.presenting = self.pending.presenting._replace(opaque=opaque)

    def set_input_region(self, region: WlRegion | None) -> None:
        """There is no input."""

    def set_buffer_transform(self, transform: int) -> None:
        """Say how the buffer's content is rotated and flipped."""
        if not 0 <= transform <= 7:
            text = f"{transform} is no transform"
            raise ViolationError(self, SurfaceError.INVALID_TRANSFORM, text)
        self.pending.presenting = self.pending.presenting._replace(transform=transform)

    def set_buffer_scale(self, scale: int) -> None:
        """Say how many buffer pixels there are to one of the surface."""
        if scale < 1:
            raise ViolationError(self, SurfaceError.INVALID_SCALE, f"{scale} is no scale")
        self.pending.presenting = self.pending.presenting._replace(scale=scale)

    def commit(self) -> None:
        """Let the pending state take effect."""
        if self.role is not None:
            self.role.before_commit()
        points = None if self.sync is None else self.sync.take(self._buffer)
        if self.pending.attached:
            self.pending.hold = self._hold()
        if points is not None and self.pending.hold is not None:
            acquire, self.pending.hold.release_point = points
            self.pending.acquire = None if acquire.signalled else acquire
        self._check_buffer()
        if self.waits:
            replaced = self.pending.apply_to(self.cached)
            if replaced is not None:
                replaced.release()
            self._waiting = True
            if self.parent is not None:
                self.parent.part_changed()
        elif self.held or self.pending.acquire is not None or self._parts_changed:
            self._take_effect(self.pending)
        else:
            self._apply(self.pending)

    # What its role calls.

    def take_role(self, role: SurfaceRole, name: str) -> None:
        """Have a role object."""
        self.role, self.role_name = role, name

    def lose_role(self) -> None:
        """The role object is gone; the surface is on no screen any more."""
        self.role = None
        self.subsurface = None
        self.desktop.scene_changed()

    @property
    def has_buffer(self) -> bool:
        """Whether a buffer is attached or committed."""
        return self._buffer is not None or self._newest_hold() is not None

    @property
    def attaching(self) -> bool:
        """Whether the pending state brings a buffer."""
        return self._buffer is not None

    # Subsurfaces.

    @property
    def waits(self) -> bool:
        """Whether commits take effect with the parent's."""
        surface: WlSurface | None = self
        while surface is not None and surface.subsurface is not None:
            if surface.subsurface.synchronised:
                return True
            surface = surface.parent
        return False

    @property
    def runs_free(self) -> bool:
        """Whether it is a subsurface that is not synchronised itself."""
        return self.subsurface is not None and not self.subsurface.synchronised

    def add_child(self, child: WlSurface) -> None:
        """A subsurface joins on top, when this surface is next committed."""
        self._next_stack.append(child)
        self._parts_changed = True

    def part_changed(self) -> None:
        """A subsurface has something that takes effect when this surface is next committed."""
        self._parts_changed = True

    def tree(self) -> Iterator[WlSurface]:
        """The surface and all that is part of it, or is going to be."""
        found = [self]
        while found:
            surface = found.pop()
            found += [child for child in surface._next_stack if child is not surface]
            yield surface

    def remove_child(self, child: WlSurface) -> None:
        """A subsurface leaves at once."""
        self.stack = [member for member in self.stack if member is not child]
        self._next_stack = [member for member in self._next_stack if member is not child]

    def place_child(self, child: WlSurface, sibling: WlSurface, *, above: bool) -> None:
        """Put a subsurface right above or below another, or this surface."""
        self._next_stack.remove(child)
        self._next_stack.insert(self._next_stack.index(sibling) + above, child)
        self._parts_changed = True

    def leave_parent(self) -> None:
        """Be no part of the parent any more."""
        if self.parent is not None:
            self.parent.remove_child(self)
            self.parent = None
            self.desktop.scene_changed()

    def desynchronised(self) -> None:
        """Commits need not wait any more: what waited takes effect, here and below."""
        if self.waits:
            return
        found = [self]
        while found:
            surface = found.pop()
            if surface._waiting:
                surface._take_effect(surface.cached)
            found += [one for one in surface.stack if one.parent is surface and one.runs_free]

    # Commits that wait.

    def apply_held(self, commit: HeldCommit) -> None:
        """A commit that has waited takes effect; what has left the surface since stays away."""
        self._show(commit.state)
        self.stack = [one for one in commit.stack if one is self or one.parent is self]
        for subsurface, position in commit.positions:
            subsurface.position = position
        if commit.role is not None:
            commit.role()
        self.desktop.surface_committed(self)

    def bounds(self) -> Rect:
        """The surface in its own coordinates; empty if there is nothing to show."""
        return Rect(0, 0, *(self.size or (0, 0)))

    # The end.

    def on_destroy(self) -> None:
        """The surface is gone: what belongs to it is inert from here on."""
        self._forget_buffer()
        self.desktop.surfaces.pop(self.address, None)
        for child in {*self.stack, *self._next_stack} - {self}:
            child.parent = None
        role, self.role = self.role, None  # first: a role that is told asks the surface for it
        self.leave_parent()
        if role is not None:
            role.surface_gone()
        for extension in (self.viewport, self.colours, self.light, self.sync):
            if extension is not None:
                extension.surface_gone()
        self.viewport = self.colours = self.light = self.sync = None
        if self.held:
            self.desktop.held.drop(self)
        if self.current.hold is not None:
            self.desktop.retire(self, self.current.hold)
            self.current.hold = None  # it is on the screen until the next refresh
        for state in (self.pending, self.cached, self.current):
            state.clear()
        self.subsurface = None
        self.stack, self._next_stack, self.outputs = [], [], ()
        self.desktop.surface_gone(self)

    def _take_effect(self, state: SurfaceCommit) -> None:
        """Have a state take effect: now, or when what it has to wait for has come."""
        if self._has_to_wait(state):
            self.desktop.held.add([one._set_aside(its) for one, its in self._with_waiting(state)])
        else:
            self._apply(state)

    def _has_to_wait(self, state: SurfaceCommit) -> bool:
        tree = self._with_waiting(state)
        return any(one.held or its.acquire is not None for one, its in tree)

    def _with_waiting(self, state: SurfaceCommit) -> Iterator[tuple[WlSurface, SurfaceCommit]]:
        """The surface and the subsurfaces that wait for it, each with what is to take effect."""
        found = [(self, state)]
        while found:
            surface, its = found.pop()
            found += [
                (child, child.cached)
                for child in surface._next_stack
                if child is not surface and child._waiting
            ]
            yield surface, its

    def _set_aside(self, state: SurfaceCommit) -> HeldCommit:
        """Take a state out, with all that the surface and its role keep beside it."""
        held = HeldCommit(
            surface=self,
            state=SurfaceCommit(),
            stack=list(self._next_stack),
            positions=[
                (child.subsurface, child.subsurface.next_position)
                for child in self._next_stack
                if child is not self and child.subsurface is not None
            ],
            role=None if self.role is None else self.role.set_aside(),
        )
        state.apply_to(held.state)
        self._waiting = self._parts_changed = False
        return held

    def _show(self, state: SurfaceCommit) -> None:
        """Have a state be the current one, for the surface alone."""
        replaced = state.apply_to(self.current)
        if replaced is not None:
            self.desktop.retire(self, replaced)
        hold = self.current.hold
        if self.current.presenting.colour is None:
            colour = self.desktop.negotiated_colour(self)
            self.current.presenting = self.current.presenting._replace(colour=colour)
        self.size = (
            None if hold is None else surface_size(hold.content.extent, self.current.presenting)
        )

    def _apply(self, state: SurfaceCommit) -> None:
        self._show(state)
        self._waiting = False
        if self._parts_changed:
            self._parts_changed = False
            self.stack = list(self._next_stack)
            for child in self.stack:
                if child is not self and child.subsurface is not None:
                    child.subsurface.parent_applied()
                    if child._waiting:
                        child._apply(child.cached)
        if self.role is not None:
            self.role.committed()
        self.desktop.surface_committed(self)

    def _check_buffer(self) -> None:
        """Refuse a buffer that does not fit the scale, the viewport or the colours."""
        hold = self._newest_hold()
        if hold is None:
            return
        colour = self.pending.presenting.colour
        if self.colours is not None and colour is not None:
            self.colours.check(hold.content.fourcc, colour)
        try:
            surface_size(hold.content.extent, self.pending.presenting)
        except SizeError as error:
            if error.of_viewport and self.viewport is not None:
                raise ViolationError(self.viewport, error.code, str(error)) from None
            raise ViolationError(self, SurfaceError.INVALID_SIZE, str(error)) from None

    def _newest_hold(self) -> BufferHold | None:
        """The buffer that was committed last, whether it is shown or waits."""
        held = [one.state for one in self.desktop.held.of(self)] if self.held else []
        for state in (self.pending, self.cached, *held, self.current):
            if state.hold is not None or state.attached:
                return state.hold
        return None

    def _hold(self) -> BufferHold | None:
        """Take the attached buffer into use."""
        buffer = self._buffer
        self._forget_buffer()
        if buffer is None:
            return None
        buffer.check()
        return BufferHold(buffer)

    def _buffer_gone(self) -> None:
        self._buffer = None
        self._buffer_listener = None

    def _forget_buffer(self) -> None:
        self._buffer = None
        if self._buffer_listener is not None:
            self._buffer_listener.remove()
            self._buffer_listener = None
