"""What made the products of a run, gathered when its work is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from drizframe._version import __version__
from drizframe.hooks import STAGES, Component, Registry, Step
from drizframe.hooks.guard import provider_of
from drizframe.hooks.markers import PROJECT
from drizframe.hooks.plugins.section_models import names_of
from drizframe.hooks.plugins.sections import options_of, section_of
from drizframe.model.provenance import ComponentUse, PluginUse, Provenance, StepUse

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.engine.context import RunContext
    from drizframe.hooks import PluginInfo

__all__ = ["provenance_of"]


def provenance_of(context: RunContext, others: Iterable[Component]) -> Provenance:
    """Return what made the products of a run.

    Parameters
    ----------
    context : RunContext
        After its last step.
    others : iterable of Component
        Components that worked outside of steps: readers, instruments, the writer.
    """
    plan, registry = context.plan, context.registry
    steps = [bound.step for bound in plan.steps]
    used = {id(c): c for c in others}
    called = list(_called(context))
    used |= {id(c): c for c, _ in called}
    backends = {id(c): kind for c, kind in called}
    components = [_component(c, registry, plan.parameters, backends.get(i, "")) for i, c in used.items()]
    return Provenance(
        version=__version__,
        plugins=tuple(_plugins(registry, list(used.values()), steps)),
        components=tuple(sorted(components, key=lambda c: (c.family, c.name, c.provider))),
        steps=tuple(_step(s, plan.parameters) for s in steps),
    )


def _called(context: RunContext) -> Iterator[tuple[Component, str]]:
    """Yield the components that steps called, each with the implementation that ran; and the executor."""
    parameters, registry = context.plan.parameters, context.registry
    yield from context.called.values()
    known = {f"{c.family} {c.name}" for c, _ in context.called.values()}
    for called, kind in context.backends.items():  # what was made of a record stands for it
        if called in known:
            continue
        family = next((f for f in registry.families if called.startswith(f"{f} ")), "")
        name = called.removeprefix(f"{family} ")
        given = (getattr(parameters, n) for n in type(parameters).model_fields)
        direct = next(
            (c for c in given if isinstance(c, Component) and (c.family, c.name) == (family, name)), None
        )
        if direct is not None:
            yield direct, kind
        elif family and name in registry.names(family):  # what a step calls besides is a part of it
            yield registry.get(family, name), kind
    yield registry.get("executor", parameters.executor), ""


def _component(component: Component, registry: Registry, parameters: Parameters, kind: str) -> ComponentUse:
    return ComponentUse(
        family=component.family,
        name=component.name,
        provider=provider_of(component, registry, parameters),
        backend=kind,
        options=_options(component, parameters),
        cite=component.cite,
    )


def _step(step: Step, parameters: Parameters) -> StepUse:
    return StepUse(name=step.name, provider=step.provider or PROJECT, options=_options(step, parameters))


def _options(owner: Component | Step, parameters: Parameters) -> dict[str, Any]:
    """Return the parameters of a component or step of its own, under the names by which users give them."""
    options, model = options_of(owner, parameters), owner.options_model
    if options is None or model is None:
        return {}
    values = {names_of(model, n, f)[0]: getattr(options, n) for n, f in model.model_fields.items()}
    values |= options.model_extra or {}
    return {f"{section_of(owner)}.{name}": _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    """Return a value as `json` can write it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(v) for v in value]
    return str(value)


def _plugins(registry: Registry, used: list[Component], steps: Iterable[Step]) -> Iterator[PluginUse]:
    """Yield all plugins but those of drizframe itself."""
    manager = registry.manager
    ids = {id(c) for c in used}
    working = {e.plugin for e in registry if id(e.record) in ids}
    sources = {(_hook_of(s), source) for s in steps for source in s.provider.split(" around ")}
    infos = [p for p in manager.plugins() if not (p.state == "active" and manager.is_stock(p.name))]
    active = {p.name for p in infos if p.state == "active"}
    for info in infos:
        if info.state == "failed" and info.name in active:
            continue  # of a part of it only
        yield PluginUse(
            name=info.name, distribution=info.distribution, version=info.version,
            state=_state(info, manager.source_of(info.name), working, sources),
        )  # fmt: skip


def _state(info: PluginInfo, source: str, working: set[str], sources: set[tuple[str, str]]) -> Any:
    """Say whether a plugin took part."""
    if info.state != "active":
        return info.state
    stepping = any((hook, source) in sources for hook in info.hooks)
    return "used" if stepping or info.name in working else "unused"


def _hook_of(step: Step) -> str:
    """Return the hook that gives a step."""
    return next((h for h, stage in STAGES.items() if stage == step.name), "drizframe_extra_steps")
