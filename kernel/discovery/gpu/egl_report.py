"""Asking EGL without loading it: what another process was told.

A graphics driver may take its process down, hang, or share a display with what the process
draws; a compositor that is looked at from within must not see any of that. So a small
program asks, has some seconds for each of its steps, and its answer is bounded and checked
like a stranger's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from heapwire.kernel.discovery.gpu.egl_device import EglDevice, EglPair
from heapwire.protocol import MachineError, words_of
from heapwire.protocol.values import FormatModifier

_PROGRAM = Path(__file__).with_name("egl_query.py")
# For a step: Python's start, loading EGL, a device of its. A third of one is what most need for
# all; an emulated machine has been seen to want 16 for loading EGL from a cold disk.
_SECONDS = 30
_MOST_BYTES = 1 << 22  # 16 devices with 256 formats and a dozen modifiers each have half of it

RunProgram = Callable[[Sequence[str], int | None], bytes]
"""Runs a command with a descriptor to inherit, and gives its output; raises `MachineError`."""


def read_egl(trial_buffer: int | None = None) -> tuple[EglDevice, ...]:
    """The devices that EGL tells of on this machine.

    `trial_buffer` is the descriptor of a dma-buf of at least 16 KiB, which stays the caller's,
    None to try nothing. Raises `MachineError` where nobody can be asked: no libEGL, no
    interpreter, a driver that crashed or took too long.
    """
    return parse_report(ask_egl(trial_buffer, _run))


def ask_egl(trial_buffer: int | None, run: RunProgram) -> bytes:
    """The report that the program printed."""
    arguments = [] if trial_buffer is None else [str(trial_buffer)]
    # The program has no use for what is installed here, nor for what the environment says of it.
    return run([_interpreter(), "-I", "-S", str(_PROGRAM), *arguments], trial_buffer)


def parse_report(text: bytes) -> tuple[EglDevice, ...]:
    """The devices of a report; `MachineError` for anything that is none."""
    if len(text) > _MOST_BYTES:
        raise MachineError("EGL was asked, and the answer is too long to be one")
    try:
        report = json.loads(text)
        return tuple(_device(entry) for entry in report)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise MachineError("EGL was asked, and the answer cannot be read") from error


def _device(entry: dict[str, object]) -> EglDevice:
    nodes, vendor, refusal, pairs = (entry[key] for key in ("nodes", "vendor", "refusal", "pairs"))
    if not (
        isinstance(nodes, list)
        and all(isinstance(node, str) for node in nodes)
        and isinstance(vendor, str)
        and (refusal is None or isinstance(refusal, int))
        and isinstance(pairs, list)
    ):
        raise TypeError
    return EglDevice(
        nodes=tuple(nodes), vendor=vendor, pairs=tuple(map(_pair, pairs)), refusal=refusal
    )


def _pair(entry: Sequence[object]) -> EglPair:
    fourcc, modifier, external_only = entry
    if not (
        isinstance(fourcc, int)
        and isinstance(modifier, int)
        and isinstance(external_only, bool)
        and 0 < fourcc < 1 << 32
        and 0 <= modifier < 1 << 64
    ):
        raise TypeError
    return EglPair(FormatModifier(fourcc, modifier), external_only)


def _interpreter() -> str:
    """A Python to run the program with: in a C program that embeds one, `sys.executable` is not."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [Path(sys.executable or ""), Path(sys.exec_prefix, "bin", version)]
    for path in (*candidates, Path(sys.base_exec_prefix, "bin", version)):
        if path.name.startswith("python") and os.access(path, os.X_OK):
            return str(path)
    raise MachineError("there is no Python to ask EGL with")


def _run(command: Sequence[str], inherited: int | None) -> bytes:
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=() if inherited is None else (inherited,),
        )
    except OSError as error:
        raise MachineError(f"EGL cannot be asked: {words_of(error)}") from error
    with process:
        try:
            output, errors = answer_of(process)
        except BaseException:
            process.kill()
            raise
    if process.returncode < 0:
        raise MachineError(f"the driver of EGL crashed (signal {-process.returncode})")
    if process.returncode != 0:
        lines = errors.decode("utf-8", "replace").strip().splitlines()
        raise MachineError(lines[-1] if lines else "EGL cannot be asked")
    return output


def answer_of(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What a program prints and complains of; waited for as long as it goes on printing."""
    said: bytes | None = None
    while True:
        try:
            return process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired as late:
            if late.output == said:
                raise MachineError(f"EGL did not answer in {_SECONDS} seconds") from None
            said = late.output
