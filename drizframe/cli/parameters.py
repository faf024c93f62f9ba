"""``drizframe parameters``: names, defaults, meaning."""

from __future__ import annotations

from typing import Annotated

import typer

from drizframe.errors import ParameterError, nearest

__all__ = ["command"]


def command(
    match: Annotated[str, typer.Argument(help="Show only names that contain this text.")] = "",
) -> None:
    """Print a table of parameters."""
    from rich.console import Console
    from rich.table import Table

    from drizframe.config import Parameters

    if not any(match.lower() in name.lower() for name in Parameters.model_fields):
        near = nearest(match, Parameters.model_fields)
        hint = f" Did you mean {near!r}?" if near else ""
        msg = f"No parameter has {match!r} in its name.{hint}"
        raise ParameterError(msg)
    table = Table("name", "default", "unit", "step", "meaning", show_lines=False)
    for name, field in sorted(Parameters.model_fields.items()):
        if match.lower() not in name.lower():
            continue
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        table.add_row(
            name,
            repr(field.default),
            str(extra.get("unit", "")),
            str(extra.get("step", "")),
            field.description or "",
        )
    Console().print(table)
