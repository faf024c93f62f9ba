"""Marks in names of temporary files that say which process made them, so that a later one can tell what is left behind.

A mark is ``<machine>-<process number>-<start>-<random>``.  `machine` is made of the name of the host and whatever
tells machines and containers of one name apart; `start` tells a process from a later one of the same number, and from
one of an earlier boot.  Of another machine nothing is known, so its files are never judged.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import secrets
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = ["MARK", "Mark", "machine", "start_of"]

#: A mark within a name.
MARK = r"(?P<machine>[A-Za-z0-9]{8,24})-(?P<pid>\d{1,10})-(?P<start>[0-9a-f]{10})-(?P<random>[0-9a-f]{16})"
_MARK = re.compile(MARK)


def _text(path: str) -> str:
    """Return a small file of the system; empty where there is none."""
    try:
        return Path(path).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _digest(*parts: str, length: int) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:length]


def machine() -> str:
    """Return a short name of this machine, or of this container: process numbers mean the same where it is the same."""
    host = socket.gethostname()
    try:
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115  (no path but a text)
    except OSError:
        space = ""
    readable = re.sub(r"[^A-Za-z0-9]", "", host)[:12]
    return readable + _digest(host, _text("/etc/machine-id"), space, length=8)


def start_of(pid: int) -> str | None:
    """Return what tells a running process from others of its number; None if there is no such process.

    Parameters
    ----------
    pid : int
        Number of a process of this machine.

    Returns
    -------
    str or None
        Ten hexadecimal digits; zeros where the system does not tell when a process began.
    """
    if not _running(pid):
        return None
    stat = _text(f"/proc/{pid}/stat")
    if stat:
        fields = stat.rpartition(")")[2].split()  # the name before may hold anything
        if fields[:1] == ["Z"]:
            return None  # it has ended, only its parent has not asked yet
        return _digest(_boot(), fields[19], length=10)
    return _listed_start(pid)


@functools.cache
def _boot() -> str:
    return _text("/proc/sys/kernel/random/boot_id")


def _listed_start(pid: int) -> str:
    """Return the start as ``ps`` tells it; systems without ``/proc``."""
    try:
        found = subprocess.run(  # noqa: S603  (a number is all that goes into it)
            ["/bin/ps", "-o", "lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return "0" * 10
    return _digest(found.stdout.strip(), length=10) if found.stdout.strip() else "0" * 10


def _running(pid: int) -> bool:
    """Tell whether there is a process of that number."""
    if pid <= 0:
        return False
    if os.name == "nt":
        return _running_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OverflowError:
        return False
    except PermissionError:
        return True  # it is another user's
    return True


def _running_on_windows(pid: int) -> bool:
    import ctypes

    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    handle = kernel.OpenProcess(0x1000, False, pid)  # query limited information
    if not handle:
        return False
    code = ctypes.c_ulong()
    known = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return not known or code.value == 259  # still active


@dataclass(frozen=True, slots=True)
class Mark:
    """Who made a temporary file.

    Parameters
    ----------
    machine : str
        Where; see `machine`.
    pid : int
        Number of the process.
    start : str
        What `start_of` said of it.
    random : str
        Tells temporary files of one process apart, and cannot be guessed.
    """

    machine: str
    pid: int
    start: str
    random: str

    @classmethod
    def own(cls) -> Self:
        """Return a new mark of this process."""
        pid = os.getpid()
        return cls(machine(), pid, start_of(pid) or "0" * 10, secrets.token_hex(8))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the mark that a text is; None if it is none."""
        found = _MARK.fullmatch(text)
        return (
            None
            if found is None
            else cls(found["machine"], int(found["pid"]), found["start"], found["random"])
        )

    def __str__(self) -> str:
        """Return it as it stands in names."""
        return f"{self.machine}-{self.pid}-{self.start}-{self.random}"

    @property
    def is_this(self) -> bool:
        """Whether the process is this one."""
        own = type(self).own()
        return (self.machine, self.pid, self.start) == (own.machine, own.pid, own.start)

    @property
    def gone(self) -> bool:
        """Whether the process was of this machine and has ended."""
        if self.machine != machine():
            return False
        now = start_of(self.pid)
        if now is None:
            return True
        unknown = "0" * 10
        return unknown not in (now, self.start) and now != self.start
