"""What is nobody's business in a report: who and where somebody is, taken out of a document."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from heapwire.protocol.explain import Document, Json

_LEAST = 3  # characters of a name; shorter ones would be found in other words
# Names that say nothing about anybody.
_ANYBODY = frozenset({"root", "user", "localhost", "home", "nobody", "runner"})
_PATTERNS = (
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I), "UUID"),
    (re.compile(r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b", re.I), "ADDRESS"),
    (re.compile(r"(?i)\b(serial(?: number)?|s/?n)([:=# ]+)[\w./-]+"), r"\1\2SERIAL"),
    (re.compile(r"(?<![\w.-])/(?:home|Users)/[^/\s\"':]+"), "~"),
    (re.compile(r"/run/user/\d+"), "/run/user/UID"),
)
_PRIVATE_KEY = re.compile(r"serial|hostname|node_name|machine_id|user", re.I)


def private_words(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What names the person and the machine, each with what stands in its place."""
    words: dict[str, str] = {}
    for home in {environment.get("HOME", ""), str(Path.home())}:
        if home.count("/") > 1 and home not in ("/root",):
            words[home] = "~"
    for name in _users(environment):
        words[name] = "USER"
    for host in {socket.gethostname(), os.uname().nodename}:
        words[host] = "HOST"
        words[host.partition(".")[0]] = "HOST"
    with contextlib.suppress(OSError, UnicodeDecodeError):  # there may be none
        words[Path("/etc/machine-id").read_text("ascii").strip()] = "MACHINE"
    return {
        word: instead
        for word, instead in words.items()
        if len(word) >= _LEAST and word.lower() not in _ANYBODY
    }


def _users(environment: Mapping[str, str]) -> Iterator[str]:
    for key in ("USER", "LOGNAME", "SUDO_USER"):
        yield environment.get(key, "")
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        return  # an account without a name
    yield entry.pw_name
    full = entry.pw_gecos.partition(",")[0]
    yield full
    yield from full.split()


def discreet(document: Document, words: Mapping[str, str]) -> Document:
    """A document without these words, wherever they are, and without what looks like a serial."""
    return {
        _discreet_text(key, words): _discreet(value, words)
        for key, value in document.items()
        if not (isinstance(value, str) and _PRIVATE_KEY.search(key))
    }


def _discreet(value: Json, words: Mapping[str, str]) -> Json:
    if isinstance(value, str):
        return _discreet_text(value, words)
    if isinstance(value, list):
        return [_discreet(entry, words) for entry in value]
    return discreet(value, words) if isinstance(value, dict) else value


def _discreet_text(text: str, words: Mapping[str, str]) -> str:
    # The longest first: a home directory has the user's name in it.
    for word in sorted(words, key=len, reverse=True):
        pattern = rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])"
        text = re.sub(pattern, words[word], text, flags=re.I)
    for shape, instead in _PATTERNS:
        text = shape.sub(instead, text)
    return text
