"""How long a compositor has for an answer; a module of its own, because help texts name it."""

DEFAULT_TIMEOUT = 5.0
"""Seconds that a compositor has for an answer, where the caller does not say."""
