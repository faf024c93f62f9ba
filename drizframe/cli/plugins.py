"""``drizframe plugins``: who provides what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from drizframe.hooks import Component, Entry, PluginInfo, Step

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
    from drizframe.cli.tables import listing

    console = made_console()
    if hooks:
        _hooks(console)
        return
    registry = api.registry()  # first, because it finds the components that cannot be used
    steps = api.manager().steps()
    infos = api.manager().plugins()
    faults = [info for info in infos if info.error]
    listing(
        console, ("plugin", "from", "state", "hooks (drizframe_…)"), _plugins(infos, faults), title="plugins"
    )
    for info in faults:
        said = f"{info.name} of {info.source} failed: {info.error}"
        console.print(said, style="red", highlight=False, markup=False, soft_wrap=True)
    if components:
        _components(console, list(registry))
        _steps(console, steps)


def _plugins(infos: list[PluginInfo], faults: list[PluginInfo]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each plugin."""
    active = {info.name for info in infos if info.state == "active"}
    for info in infos:
        if info.error and info.name in active:
            continue  # only a part of it failed
        partly = info.state == "active" and info.name in {f.name for f in faults}
        names = " ".join(hook.removeprefix("drizframe_") for hook in info.hooks)
        yield (
            info.name.removeprefix("drizframe."),
            info.source,
            "failed in part" if partly else info.state,
            names,
        )


def _compiled(record: Component) -> bool:
    """Whether compiled loops run it: its own, or those for profiles and point functions."""
    given = (getattr(record, name, None) for name in ("fast", "profile", "point"))
    return any(g is not None for g in given)


def _components(console: Console, entries: list[Entry]) -> None:
    from drizframe.cli.tables import listing

    headings = ("family", "name", "compiled", "section", "provided by", "what it is", "cite")
    rows = (
        (e.record.family, e.record.name, "yes" if _compiled(e.record) else "", _section(e.record), e.provider,
         e.record.summary, e.record.cite)
        for e in entries
    )  # fmt: skip
    listing(console, headings, rows, title="components", first=2)


def _steps(console: Console, steps: list[Step]) -> None:
    from drizframe.cli.tables import listing
    from drizframe.engine.order import ordered
    from drizframe.errors import DrizframeError

    headings = ("name", "over", "needs", "makes", "section", "provided by")
    title, caption = "steps, in their order", ""
    try:
        steps = ordered(steps)
    except DrizframeError as error:  # a run would say so, if both are on
        title, caption = "steps", str(error)
    rows = (
        (s.name, s.over, ", ".join(s.consumes), ", ".join(s.produces), _section(s), s.provider) for s in steps
    )
    listing(console, headings, rows, title=title, caption=caption)


def _section(owner: Component | Step) -> str:
    """Return the section of what has parameters of its own; `drizframe parameters SECTION` lists those."""
    from drizframe.hooks.plugins.sections import section_of

    return section_of(owner) if owner.options_model is not None else ""


def _hooks(console: Console) -> None:
    from drizframe.hooks import specs

    for name in sorted(n for n in vars(specs) if n.startswith("drizframe_")):
        first = (getattr(specs, name).__doc__ or "").strip().splitlines()[0]
        console.print(f"[bold]{name}[/bold]  {first}", highlight=False)
