"""Errors that say whose fault they are."""

from __future__ import annotations


class HeapwireError(Exception):
    """The base of everything this project raises on purpose."""


class LocalError(HeapwireError):
    """The caller on this side asked for something wrong; nothing was sent."""


class RemoteError(HeapwireError):
    """The peer sent something that it must not send, or broke off."""


def words_of(error: Exception) -> str:
    """What an exception says; the system's word for an `OSError`, without number and path."""
    return getattr(error, "strerror", None) or str(error)
