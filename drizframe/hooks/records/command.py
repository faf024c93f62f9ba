"""Subcommands of the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from drizframe.errors import RecordError
from drizframe.hooks.records.base import NAME
from drizframe.hooks.records.fields import check_fields, text

__all__ = ["Command"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Command:
    """A subcommand of ``drizframe``.

    Parameters
    ----------
    name : str
        What the user types.
    summary : str
        One sentence for the help page.
    function : callable
        A typer-compatible function.
    options : mapping of str to object
        Keywords for typer's ``command``: ``hidden``, ``context_settings`` …
    """

    name: str
    summary: str
    function: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a command that could not be offered."""
        label = f"Command {self.name!r}"
        check_fields(label, self, name=text, summary=text)
        if not NAME.match(self.name):
            msg = f"{label} has a name that cannot be typed; use letters, digits and _ + . -"
            raise RecordError(msg)
        function: Any = self.function
        if not callable(function):
            msg = (
                f"{label} has function = {function!r}, which is no function. Give one that typer understands."
            )
            raise RecordError(msg)
