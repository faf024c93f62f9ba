"""``drizframe plugins``: who provides what."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["command"]


def command(
    components: Annotated[
        bool, typer.Option("--components/--no-components", help="List the components too.")
    ] = True,
    hooks: Annotated[bool, typer.Option("--hooks", help="List all hooks instead.")] = False,
) -> None:
    """Print plugins with version and state, components with provider, and the hooks."""
    from rich.console import Console
    from rich.table import Table

    from drizframe import api

    console = Console()
    if hooks:
        _hooks(console)
        return
    registry = api.registry()  # first, because it finds the components that cannot be used
    table = Table(title="plugins")
    for heading in ("plugin", "from", "state", "hooks (drizframe_…)"):
        table.add_column(heading, overflow="fold")  # names stay whole in a narrow terminal
    api.manager().steps()
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
        listing = Table("family", "name", "compiled", "provided by", "what it is", title="components")
        for entry in registry:
            fast = "yes" if entry.record.fast is not None else ""
            listing.add_row(
                entry.record.family, entry.record.name, fast, entry.provider, entry.record.summary
            )
        console.print(listing)


def _hooks(console: object) -> None:
    from rich.console import Console

    from drizframe.hooks import specs

    assert isinstance(console, Console)  # noqa: S101
    for name in sorted(n for n in vars(specs) if n.startswith("drizframe_")):
        first = (getattr(specs, name).__doc__ or "").strip().splitlines()[0]
        console.print(f"[bold]{name}[/bold]  {first}", highlight=False)
