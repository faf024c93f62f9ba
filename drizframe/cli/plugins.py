"""``drizframe plugins``: who provides what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

if TYPE_CHECKING:
    from rich.console import Console

    from drizframe.hooks import Component, Entry, Step

__all__ = ["command"]


def command(
    components: Annotated[
        bool, typer.Option("--components/--no-components", help="List the components and steps too.")
    ] = True,
    hooks: Annotated[bool, typer.Option("--hooks", help="List all hooks instead.")] = False,
) -> None:
    """Print plugins with version and state, components and steps with provider, and the hooks."""
    from drizframe import api
    from drizframe.cli.tables import console as made_console
    from drizframe.cli.tables import table as made_table

    console = made_console()
    if hooks:
        _hooks(console)
        return
    registry = api.registry()  # first, because it finds the components that cannot be used
    table = made_table("plugin", "from", "state", "hooks (drizframe_…)", title="plugins")
    steps = api.manager().steps()
    infos = api.manager().plugins()
    faults = [info for info in infos if info.error]
    active = {info.name for info in infos if info.state == "active"}
    for info in infos:
        if info.error and info.name in active:
            continue  # only a part of it failed
        state = (
            "failed in part"
            if info.state == "active" and info.name in {f.name for f in faults}
            else info.state
        )
        names = " ".join(hook.removeprefix("drizframe_") for hook in info.hooks)
        table.add_row(info.name.removeprefix("drizframe."), info.source, state, names)
    console.print(table)
    for info in faults:
        said = f"{info.name} of {info.source} failed: {info.error}"
        console.print(said, style="red", highlight=False, markup=False, soft_wrap=True)
    if components:
        _components(console, list(registry))
        _steps(console, steps)


def _compiled(record: Component) -> bool:
    """Whether compiled loops run it: its own, or those for profiles and point functions."""
    given = (getattr(record, name, None) for name in ("fast", "profile", "point"))
    return any(g is not None for g in given)


def _components(console: Console, entries: list[Entry]) -> None:
    from drizframe.cli.tables import table

    headings = ("family", "name", "compiled", "section", "provided by", "what it is", "cite")
    listing = table(*headings, title="components")
    for entry in entries:
        record = entry.record
        fast = "yes" if _compiled(record) else ""
        listing.add_row(
            record.family,
            record.name,
            fast,
            _section(record),
            entry.provider,
            escape(record.summary),
            escape(record.cite),
        )
    console.print(listing)


def _steps(console: Console, steps: list[Step]) -> None:
    from drizframe.cli.tables import table
    from drizframe.engine.order import ordered
    from drizframe.errors import DrizframeError

    headings = ("name", "over", "needs", "makes", "section", "provided by")
    listing = table(*headings, title="steps, in their order")
    try:
        steps = ordered(steps)
    except DrizframeError as error:  # a run would say so, if both are on
        listing.title, listing.caption = "steps", str(error)
    for step in steps:
        consumes, produces = ", ".join(step.consumes), ", ".join(step.produces)
        listing.add_row(step.name, step.over, consumes, produces, _section(step), step.provider)
    console.print(listing)


def _section(owner: Component | Step) -> str:
    """Return the section of what has parameters of its own; `drizframe parameters SECTION` lists those."""
    from drizframe.hooks.plugins.sections import section_of

    return section_of(owner) if owner.options_model is not None else ""


def _hooks(console: Console) -> None:
    from drizframe.hooks import specs

    for name in sorted(n for n in vars(specs) if n.startswith("drizframe_")):
        first = (getattr(specs, name).__doc__ or "").strip().splitlines()[0]
        console.print(f"[bold]{name}[/bold]  {first}", highlight=False)
