"""Where commands print: as wide as the terminal, and as wide as needed where the output goes elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["console", "listing", "table"]

#: Characters of a line that is read by a program; tables take only what they need.
_WIDE = 10_000
#: Columns of a terminal in which a table with long texts can be read.
_ROOM = 110


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


def listing(
    out: Console,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str,
    caption: str = "",
    first: int = 1,
) -> None:
    """Print a table; in a narrow terminal one block of lines for each row, if the table would not fit.

    Parameters
    ----------
    out : rich.console.Console
        Where to print.
    headings : sequence of str
        Of the columns.
    rows : iterable of sequences of str
        Texts of the cells; blank ones are left out of a block.
    title, caption : str
        Above and below.
    first : int
        How many cells make the first line of a block.
    """
    from rich.padding import Padding
    from rich.text import Text

    rows = [list(row) for row in rows]
    made = table(*headings, title=title)
    made.caption = caption or None
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    wide = out.measure(made, options=out.options.update(max_width=_WIDE)).maximum
    if out.width >= min(_ROOM, wide):
        out.print(made)
        return
    out.print(Text(title, style="italic"))
    for row in rows:
        out.print(Text(" ".join(row[:first]), style="bold"))
        told = [f"{h}: {cell}" for h, cell in zip(headings[first:], row[first:], strict=True) if cell]
        out.print(Padding(Text("; ".join(told)), (0, 0, 0, 4)))
    if caption:
        out.print(Text(caption))
