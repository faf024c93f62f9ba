"""The process that runs cases of one subject: a case on each line of stdin, its outcome on each line of stdout."""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any, TextIO


def _virtual() -> int:
    """Return the address space of this process in bytes."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


def _limit(memory: int) -> None:
    """Let the process have that much beyond what it has; where the system does not tell, in all."""
    have = _virtual() if Path("/proc/self/statm").exists() else 0
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (have + memory, hard))


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames))


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and those that it came from."""
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found


def outcome(run: Any, case: dict[str, Any], folder: Path) -> tuple[str, str]:
    """Return kind and text of what comes of a case."""
    from fuzz_driver import Wrong

    from drizframe.errors import DrizframeError, PluginError

    try:
        run(case, folder)
    except Wrong as error:
        return "wrong", str(error)
    except Exception as error:
        text = f"{type(error).__name__}: {error} ({_place(error)})"
        if any(isinstance(e, MemoryError) for e in _chain(error)):
            return "memory", text
        if isinstance(error, PluginError):  # a stock component that raised something bare
            return "bare", text
        return ("refused" if isinstance(error, DrizframeError) else "bare"), text
    return "ok", ""


def _answer(run: Any, case: dict[str, Any], folder: Path, seconds: float) -> tuple[str, str]:
    """Run one case in a folder of its own."""
    own = Path(tempfile.mkdtemp(dir=folder))
    here = Path.cwd()
    os.chdir(own)
    signal.setitimer(signal.ITIMER_PROF, seconds)  # its signal ends the process, also within compiled code
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return outcome(run, case, own)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        os.chdir(here)
        shutil.rmtree(own, ignore_errors=True)


def serve(subject: str, folder: Path, seconds: float, memory: int, answers: TextIO) -> None:
    """Answer until there are no more cases."""
    run = importlib.import_module(f"fuzz_{subject}").run
    _limit(memory)
    for line in sys.stdin:
        print(json.dumps(_answer(run, json.loads(line), folder, seconds)), file=answers, flush=True)


if __name__ == "__main__":
    faulthandler.enable()
    with os.fdopen(os.dup(1), "w") as answers, contextlib.redirect_stdout(sys.stderr):
        os.dup2(2, 1)  # what a library prints must not end up among the answers
        serve(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), answers)
