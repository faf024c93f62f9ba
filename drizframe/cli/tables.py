"""Where commands print: as wide as the terminal, and as wide as needed where the output goes elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["console", "table"]

#: Characters of a line that is read by a program; tables take only what they need.
_WIDE = 10_000


def console() -> Console:
    """Return where to print; what is piped to a program has one line for each row, so that ``grep`` finds it whole."""
    from rich.console import Console

    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=_WIDE)


def table(*headings: str, title: str | None = None) -> Table:
    """Return a table that cuts nothing: in a narrow terminal the text of a column goes on in the next line."""
    from rich.table import Table

    made = Table(title=title, title_justify="left")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made
