"""A progress bar in the terminal; a listener."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from drizframe.hooks import hookimpl

if TYPE_CHECKING:
    from rich.console import Console

    from drizframe.hooks import Event

__all__ = ["ProgressBar"]


class ProgressBar:
    """Shows a bar for each step.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where to draw; standard error by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=console or Console(stderr=True),
        )  # fmt: skip
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> Self:
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop drawing."""
        self._progress.stop()

    @hookimpl
    def drizframe_before_step(self, event: Event) -> None:
        """Add a bar."""
        self._tasks[event.step] = int(
            self._progress.add_task(event.step.replace("_", " "), total=event.total)
        )

    @hookimpl
    def drizframe_progress(self, event: Event) -> None:
        """Move the bar; show warnings above it."""
        if event.kind == "progress" and event.step in self._tasks:
            from rich.progress import TaskID

            self._progress.update(TaskID(self._tasks[event.step]), completed=event.done)
        elif event.kind == "warning":
            from rich.markup import escape

            self._progress.console.print(f"[yellow]warning:[/yellow] {escape(event.text)}", highlight=False)
