"""The log file of a run, with a table of timings at its end; a listener."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from drizframe.errors import OutputError
from drizframe.hooks import hookimpl

if TYPE_CHECKING:
    from drizframe.hooks import Event

__all__ = ["LogFile", "log_file"]


def log_file(runfile: str, root: str | Path) -> LogFile:
    """Open the log file that `runfile` names.

    Parameters
    ----------
    runfile : str
        Its name, ``.log`` added if missing; ``INDEF``: `root` with ``.log``.
    root : str or path
        Root of the names of the products.
    """
    name = str(root) if runfile.upper() == "INDEF" else runfile
    return LogFile(name if name.endswith(".log") else name + ".log")


class LogFile:
    """Appends what happens to a text file, ``[LEVEL   ] message`` a line.

    Parameters
    ----------
    path : path-like
        The file; it is made if missing, and appended to otherwise.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._rows: list[Event] = []
        try:
            self.path.open("a", encoding="utf-8").close()
        except OSError as error:
            msg = f"The log file {str(path)!r} cannot be written: {error.strerror}. Give another runfile, or a blank one."
            raise OutputError(msg) from None

    def line(self, level: str, text: str) -> None:
        """Append one message."""
        with self.path.open("a", encoding="utf-8") as handle:
            for part in text.splitlines() or [""]:
                handle.write(f"[{level:<8}] {part}\n")

    @hookimpl
    def drizframe_before_step(self, event: Event) -> None:
        """Say that a step starts."""
        self.line("INFO", f"{event.step}: {event.total} tasks")

    @hookimpl
    def drizframe_after_step(self, event: Event) -> None:
        """Remember the time."""
        self._rows.append(event)

    @hookimpl
    def drizframe_progress(self, event: Event) -> None:
        """Write messages; begin and end of the run."""
        if event.kind == "begin_run":
            now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
            self.line("INFO", f"drizframe run started {now}: {event.text}")
        elif event.kind == "end_run":
            self._table(event)
        elif event.kind in ("message", "warning"):
            self.line("WARNING" if event.kind == "warning" else "INFO", event.text)

    def _table(self, event: Event) -> None:
        self.line("INFO", f"{'step':<22}{'seconds':>10}  state")
        for row in self._rows:
            note = "" if row.state == "ok" else f"({row.state})"
            self.line("INFO", f"{row.step:<22}{row.seconds:>10.3f}  {note}")
        self.line("INFO", f"{'total':<22}{event.seconds:>10.3f}  {event.text}")
