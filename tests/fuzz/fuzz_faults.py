"""Cases that fail in every way, to test the fuzzer itself."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from fuzz_driver import Wrong

from drizframe.errors import InputError, PluginError

KINDS = ("ok", "refused", "bare", "plugin", "wrong", "memory", "wrapped memory", "hang", "crash")


def make(seed: int) -> dict[str, Any]:
    return {"seed": seed, "what": KINDS[seed % len(KINDS)]}


def run(case: dict[str, Any], folder: Path) -> None:
    what = case["what"]
    if what == "refused":
        msg = "not this one"
        raise InputError(msg)
    if what == "bare":
        raise ZeroDivisionError
    if what == "plugin":
        raise PluginError
    if what == "wrong":
        msg = "a promise is broken"
        raise Wrong(msg)
    if what == "memory":
        bytearray(4 * 2**30)
    if what == "wrapped memory":
        try:
            bytearray(4 * 2**30)
        except MemoryError as error:
            msg = "hidden"
            raise InputError(msg) from error
    while what == "hang":
        pass
    if what == "crash":
        ctypes.string_at(0)
