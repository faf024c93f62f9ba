"""``drizframe parameters``: names, defaults, meaning; those of plugins too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from drizframe.errors import ParameterError, nearest

__all__ = ["command", "of_plugins"]

#: Name, default, type and limits, provider, description.
Row = tuple[str, str, str, str, str]


def of_plugins() -> Iterator[Row]:
    """Yield the parameters of the sections of plugins, sorted; one that several share comes once, with all who take it."""
    from drizframe import api
    from drizframe.hooks.plugins.section_models import default_of, field_of, keys_of, type_of
    from drizframe.hooks.plugins.sections import owners_of

    owners = owners_of(api.registry(), api.manager().steps())
    for section in sorted(owners):
        rows: dict[tuple[str, str, str, str], dict[str, None]] = {}
        for owner, provider in owners[section]:
            model = owner.options_model
            for key in keys_of(model) if model is not None else ():
                field = field_of(model, key) if model is not None else None
                if field is None:
                    continue
                limits = ", ".join(
                    f"{type(m).__name__.lower()}={_value(m)}" for m in field.metadata if _value(m) is not None
                )
                row = (
                    f"{section}.{key}",
                    default_of(field),
                    f"{type_of(field)} {limits}".strip(),
                    field.description or "",
                )
                rows.setdefault(row, {})[provider] = None
        for (name, default, kind, meaning), providers in sorted(rows.items()):
            yield name, default, kind, ", ".join(providers), meaning


def _value(limit: object) -> object:
    """Return the number of a limit such as annotated_types.Ge(ge=0); None for other things."""
    return getattr(
        limit,
        type(limit).__name__.lower().replace("len", "_length").replace("multipleof", "multiple_of"),
        None,
    )


def command(
    match: Annotated[str, typer.Argument(help="Show only names that contain this text.")] = "",
) -> None:
    """Print a table of parameters, and one of those of plugins."""
    from rich.text import Text

    from drizframe.cli.tables import console, table
    from drizframe.config import Parameters

    text = match.lower()
    own = {n: f for n, f in sorted(Parameters.model_fields.items()) if text in n.lower()}
    every = list(of_plugins())
    theirs = [row for row in every if text in row[0].lower()]
    if not own and not theirs:
        near = nearest(match, [*Parameters.model_fields, *(row[0] for row in every)])
        hint = f" Did you mean {near!r}?" if near else ""
        msg = f"No parameter has {match!r} in its name.{hint}"
        raise ParameterError(msg)
    out = console()
    if own:
        listing = table("name", "default", "unit", "step", "meaning")
        for name, field in own.items():
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            unit, step = str(extra.get("unit", "")), str(extra.get("step", ""))
            cells = (name, repr(field.default), unit, step, field.description or "")
            listing.add_row(*(Text(cell) for cell in cells))
        out.print(listing)
    if theirs:
        headings = ("name", "default", "type and limits", "provided by", "meaning")
        listing = table(*headings, title="parameters of plugins")
        for row in theirs:
            listing.add_row(*(Text(cell) for cell in row))
        out.print(listing)
