"""Fixtures of what is used for long, and of files that nobody here made."""

from fd_leak import no_fd_leak as no_fd_leak
