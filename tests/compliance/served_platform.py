"""What the tests of compliance share: a platform, and how a compositor of it is started."""

from __future__ import annotations

from collections.abc import Callable

from heapwire.kernel.description import Platform

PLATFORM = Platform.load("raspberry-pi-4")
Serve = Callable[..., str]
"""Starts a reference compositor, as it is just then; gives the path of its socket."""
