"""The trace of hooks, which ``DRIZFRAME_TRACE_HOOKS=1`` asks for."""

from __future__ import annotations

import logging
import sys

from drizframe.errors import printable

__all__ = ["write_trace"]

log = logging.getLogger("drizframe.hooks")

#: What pluggy writes behind a line; the beginning says it already.
_TAG = " [hook]"


def _has_handlers() -> bool:
    """Whether somebody listens: `NullHandler` is nobody."""
    here: logging.Logger | None = log
    while here is not None:
        if any(not isinstance(h, logging.NullHandler) for h in here.handlers):
            return True
        here = here.parent if here.propagate else None
    return False


def write_trace(text: str) -> None:
    """Write lines of the trace into the log ``drizframe.hooks``; to the standard error where nobody listens to that.

    Parameters
    ----------
    text : str
        As pluggy makes it: one line, and one more for each argument.
    """
    heard = log.isEnabledFor(logging.INFO) and _has_handlers()
    for line in text.rstrip().splitlines():
        said = f"hook: {printable(line.removesuffix(_TAG), keep='')}"
        if heard:
            log.info(said)
        else:
            sys.stderr.write(f"{said}\n")
