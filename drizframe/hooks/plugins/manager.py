"""Finding plugins: stock ones by dotted name, installed ones by entry point, session ones by `register`."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from drizframe.errors import DrizframeError, HookError, PluginError, PluginWarning, nearest
from drizframe.hooks import specs
from drizframe.hooks.guard import FAULTS
from drizframe.hooks.markers import PROJECT
from drizframe.hooks.plugins.answers import place_of
from drizframe.hooks.plugins.calls import HookCalls
from drizframe.hooks.plugins.checks import check_plugin, origin_of, target_of, title_of
from drizframe.hooks.plugins.listeners import adapted
from drizframe.hooks.plugins.missing import gives_steps, names_steps
from drizframe.model import Plane

__all__ = ["LOCK", "Distributed", "PluginInfo", "PluginManager"]

#: Held while plugins and the registry of a process are changed or looked at; a hook may ask for them again.
LOCK = threading.RLock()

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginInfo:
    """One plugin, for people.

    Parameters
    ----------
    name : str
        Name in the plugin manager.
    version : str
        Version of its distribution; empty for objects registered in the session.
    distribution : str
        Name of its distribution.
    state : {"active", "disabled", "failed"}
        Whether its hooks are called.
    hooks : tuple of str
        Hooks that it implements.
    error : str
        Why it failed.
    """

    name: str
    version: str = ""
    distribution: str = ""
    state: str = "active"
    hooks: tuple[str, ...] = ()
    error: str = ""

    @property
    def source(self) -> str:
        """Distribution and version, or the name, for messages."""
        return f"{self.distribution} {self.version}".strip() if self.distribution else self.name


@dataclass(frozen=True, slots=True)
class Distributed:
    """A plugin of an installed package.

    Parameters
    ----------
    distribution, source : str
        Name of the distribution, and with its version as `PluginManager.source_of` tells it.
    package : str
        The package that its code is in.
    """

    distribution: str
    source: str
    package: str


@dataclass(slots=True)
class _Failure:
    name: str
    distribution: str
    version: str
    error: str
    hook: str = ""
    steps: bool = False
    what: str = field(default="Plugin", compare=False)

    @property
    def whose(self) -> str:
        """Plugin with distribution and version."""
        return f"{self.name!r} of {f'{self.distribution} {self.version}'.strip() or 'this session'}"

    def told(self) -> str:
        """Return what the user is told."""
        return f"{self.what} {self.whose} cannot be used and is skipped. {self.error}"


def _listed(variable: str) -> list[str] | None:
    """Names in an environment variable, separated by commas; None if it is not set."""
    text = os.environ.get(variable)
    return None if text is None else [p.strip() for p in text.split(",") if p.strip()]


def _locked(method: _F) -> _F:
    """Let one thread at a time into a method."""

    @wraps(method)
    def locked(*args: Any, **kwargs: Any) -> Any:
        with LOCK:
            return method(*args, **kwargs)

    return locked  # type: ignore[return-value]


@dataclass(slots=True)
class _State:
    failures: list[_Failure] = field(default_factory=list)
    disabled: list[PluginInfo] = field(default_factory=list)
    sources: dict[str, tuple[str, str]] = field(default_factory=dict)
    strays: list[str] = field(default_factory=list)
    off_by: dict[str, str] = field(default_factory=dict)


class PluginManager:
    """The plugins of a process, and the hooks they implement.

    Parameters
    ----------
    stock : bool
        Load what drizframe ships.
    installed : bool
        Load entry points of the group ``drizframe``.
    """

    def __init__(self, *, stock: bool = True, installed: bool = True) -> None:
        self._pm = HookCalls(self.source_of, self._hook_failed)
        self._state = _State()
        self._hooks_found: tuple[Any, Mapping[str, tuple[str, ...]]] | None = None
        self._silent: HookCalls | None = None  # of runs that nobody listens to
        # by name, because this room lies below what it finds there
        shipped = importlib.import_module("drizframe.stock").modules() if stock else ()
        self._stock: frozenset[str] = frozenset(shipped)
        self.generation = 0
        for dotted in shipped:
            self._pm.register(importlib.import_module(dotted), name=dotted)
        if installed:
            self._load_installed()

    @property
    def hook(self) -> Any:
        """The hook callers of pluggy."""
        return self._pm.hook

    def _load_installed(self) -> None:
        """Load entry points; one that fails is warned about and skipped."""
        only, disabled = _listed("DRIZFRAME_PLUGINS"), set(_listed("DRIZFRAME_DISABLED_PLUGINS") or ())
        points = sorted(importlib.metadata.entry_points(group=PROJECT), key=lambda p: p.name)
        self._check_variables({n for p in points for n in (p.name, origin_of(p)[0])})
        for point in points:
            dist, version = origin_of(point)
            named = bool({point.name, dist} & disabled)
            if named or (only is not None and not {point.name, dist} & set(only)):
                self._state.off_by[point.name] = (
                    "DRIZFRAME_DISABLED_PLUGINS names it" if named else "DRIZFRAME_PLUGINS leaves it out"
                )
                self._state.disabled.append(
                    PluginInfo(name=point.name, version=version, distribution=dist, state="disabled")
                )
                continue
            package, plugin = "", None
            try:
                package = target_of(point)
                plugin = point.load()
                self._add(plugin, point.name, dist, version)
            except FAULTS as error:
                steps = names_steps(package) if plugin is None else gives_steps(plugin)
                self._fail(point.name, dist, version, error, package=package, steps=steps)

    def _check_variables(self, known: set[str]) -> None:
        """Warn of names in the environment that no installed plugin has: a slip of the pen would go unseen."""
        for variable in ("DRIZFRAME_PLUGINS", "DRIZFRAME_DISABLED_PLUGINS"):
            for name in _listed(variable) or ():
                if name in known:
                    continue
                near = nearest(name, known)
                hint = (
                    f"Did you mean {near!r}?" if near else f"There are: {', '.join(sorted(known)) or 'none'}."
                )
                text = (
                    f"{variable} names {name!r}, and no installed plugin or distribution is called so. {hint}"
                )
                self._state.strays.append(text)
                warnings.warn(text, PluginWarning, stacklevel=5)

    def _fail(
        self, name: str, dist: str, version: str, error: BaseException, what: str = "Plugin", *, hook: str = "", package: str = "",
        steps: bool = False,
    ) -> None:  # fmt: skip
        failure = _Failure(
            name, dist, version, f"{type(error).__name__}: {error}{place_of(error, package)}", hook, steps
        )
        if failure in self._state.failures:
            return
        self._state.failures.append(failure)
        failure.what = f"Hook {hook} of plugin" if hook else what
        warnings.warn(failure.told(), PluginWarning, stacklevel=4)

    @_locked
    def report(self, plugin: str, error: BaseException) -> None:
        """Warn that something of a plugin cannot be used; the rest of it goes on.

        Parameters
        ----------
        plugin : str
            Name of the plugin.
        error : BaseException
            What is wrong.
        """
        dist, version = self._state.sources.get(plugin, ("", ""))
        self._fail(plugin, dist, version, error, "A component of plugin")

    def _add(self, plugin: Any, name: str, dist: str = "", version: str = "") -> None:
        """Check and register one plugin; on a fault nothing stays registered."""
        check_plugin(plugin, name)
        if self._pm.has_plugin(name):
            msg = f"A plugin named {name!r} is there already, of {self.source_of(name)}. Disable one of them."
            raise PluginError(msg)
        if (other := self._name_of(plugin)) is not None:
            msg = (
                f"What is to be registered as {name!r} is registered already, as {other!r} of {self.source_of(other)}. "
                f"Unregister that first, or register another object."
            )
            raise PluginError(msg)
        try:
            self._pm.register(plugin, name=name)
        except BaseException as error:
            if self._pm.has_plugin(name):
                self._pm.unregister(name=name)
            if isinstance(error, pluggy.PluginValidationError):
                raise HookError(str(error)) from None
            raise
        self._state.sources[name] = (dist, version)
        self.generation += 1

    def _name_of(self, plugin: Any) -> str | None:
        """Return the name under which this very object is registered."""
        return next((n for n, p in self._pm.list_name_plugin() if p is plugin), None)

    @_locked
    def register(self, plugin: Any, name: str | None = None) -> str:
        """Add a module or object for this session; return its name.

        Raises
        ------
        HookError
            If it implements a hook that does not exist or with other arguments.
        PluginError
            If a plugin of that name is there already, it is there under another name, or it implements no hook at all.
        """
        chosen = name or title_of(plugin)
        if self._pm.has_plugin(chosen):
            msg = (
                f"A plugin named {chosen!r} is registered already. Unregister it first, or give another name."
            )
            raise PluginError(msg)
        self._add(plugin, chosen)
        if not self._hooks_of(plugin):
            self.unregister(chosen)
            msg = f"{chosen!r} implements no hook. Mark its functions with @drizframe.hookimpl; see `drizframe plugins --hooks`."
            raise PluginError(msg)
        return chosen

    @_locked
    def unregister(self, plugin: Any) -> None:
        """Remove a plugin by name or object.

        Raises
        ------
        PluginError
            If it is not registered.
        """
        name = plugin if isinstance(plugin, str) else self._name_of(plugin)
        if name is None or not self._pm.has_plugin(name):
            msg = f"No plugin {plugin!r} is registered. `drizframe plugins` lists them."
            raise PluginError(msg)
        self._pm.unregister(name=name)
        self._state.sources.pop(name, None)
        self._state.failures = [f for f in self._state.failures if f.name != name]
        self.generation += 1

    def _hooks_of(self, plugin: Any) -> tuple[str, ...]:
        return tuple(sorted(c.name for c in self._pm.get_hookcallers(plugin) or ()))

    def _hooks(self) -> Mapping[str, tuple[str, ...]]:
        """Return the hooks of every plugin; they are looked for when plugins have come or gone."""
        names = tuple(name for name, plugin in self._pm.list_name_plugin() if plugin is not None)
        key = self.generation, names
        if self._hooks_found is None or self._hooks_found[0] != key:
            self._hooks_found = key, {n: self._hooks_of(self._pm.get_plugin(n)) for n in names}
        return self._hooks_found[1]

    def switched_off(self, name: str) -> str:
        """Say which plugins are installed but not used, for a message about something that is not there.

        Parameters
        ----------
        name : str
            What was asked for: a section, or a component, whose name begins with its plugin's as a rule.

        Returns
        -------
        str
            Sentences; blank if no plugin is switched off.
        """
        off, root = self._state.disabled, str(name).partition(".")[0]
        alike = [
            p for p in off if root in {p.name, p.distribution, p.distribution.removeprefix("drizframe-")}
        ]
        told = [f"{p.name!r} of {p.source} ({self._state.off_by[p.name]})" for p in alike or off]
        if not told:
            return ""
        names = ", ".join(told)
        if len(told) == 1:
            return f"The plugin {names} is installed but switched off, so what it gives is not there."
        return f"The plugins {names} are installed but switched off, so what they give is not there."

    def is_stock(self, name: str) -> bool:
        """Whether drizframe itself ships a plugin; its name alone does not tell."""
        return name in self._stock

    def source_of(self, name: str) -> str:
        """Return distribution and version of a plugin, for messages."""
        if self.is_stock(name):
            return PROJECT
        dist, version = self._state.sources.get(name, ("", ""))
        return f"{dist} {version}".strip() or f"{name} (this session)"

    def _hook_failed(self, one: Any, hook: str, error: BaseException) -> None:
        """Warn that a hook of a plugin cannot be used; what drizframe ships must work."""
        name = one.plugin_name
        if self.is_stock(name):
            raise error
        dist, version = self._state.sources.get(name, ("", ""))
        self._fail(name, dist, version, error, hook=hook, package=one.function.__module__)

    @_locked
    def collect(self, hook: str) -> list[tuple[str, Any]]:
        """Call a component hook of every plugin; return (plugin name, record) pairs, in the order in which pluggy calls.

        A plugin whose hook raises is warned about and skipped.
        """
        pairs: list[tuple[str, Any]] = self._pm.asked(hook)
        return pairs

    @_locked
    def stage(self, hook: str) -> Any:
        """Return the step that does a stage: of the first plugin that answers, through all wrappers; None if it is off.

        Parameters
        ----------
        hook : str
            One of `drizframe.hooks.STAGES`.

        Returns
        -------
        Step or None
            Its `provider` names who it is from.

        Raises
        ------
        PluginError
            If a plugin's function raises; it is named.
        HookError
            If what a plugin returns is not the step of this stage.
        """
        return self._pm.asked(hook)

    @_locked
    def replacing(self, hook: str) -> list[str]:
        """Return distribution and version of the plugins that replace a stage, in the order in which they are asked."""
        every = reversed(getattr(self.hook, hook).get_hookimpls())
        plain = [i.plugin_name for i in every if not (i.wrapper or i.hookwrapper)]
        return [self.source_of(n) for n in plain if not self.is_stock(n)]

    @_locked
    def extra_steps(self) -> list[Any]:
        """Return the steps that plugins add, each with its provider.

        Raises
        ------
        PluginError
            If a plugin's function raises; it is named.
        HookError
            If it yields something that is no step.
        """
        return [step for _, step in self._pm.asked("drizframe_extra_steps")]

    @_locked
    def steps(self) -> list[Any]:
        """Return all steps of all plugins, each with its provider; plugins whose hooks raise are listed as failed.

        A run that needs those is an error that says the same, so there is no warning.
        """
        found = []
        for hook in ("drizframe_extra_steps", *specs.STAGES):
            every = [i for i in getattr(self.hook, hook).get_hookimpls() if not self.is_stock(i.plugin_name)]
            names = {i.plugin_name for i in every}
            bad = {one.plugin_name for one in every if not self._answers(one, hook, names)}
            answer = self._pm.asked(hook, bad)
            if hook in specs.STAGES:
                found += [] if answer is None else [answer]
            else:
                found += [step for _, step in answer]
        return found

    @_locked
    def shipped_planes(self) -> list[Plane]:
        """Return the planes that the steps of drizframe itself declare, those too that a plugin replaces or leaves out."""
        found: list[Plane] = []
        others = {name for name, _ in self._pm.list_name_plugin() if not self.is_stock(name)}
        for hook in specs.STAGES:
            step = self._pm.asked(hook, others)
            found += [] if step is None else [p for p in step.makes if isinstance(p, Plane)]
        return found

    def _answers(self, one: Any, hook: str, every: set[str]) -> bool:
        """Ask one plugin, beside what drizframe ships, for its steps; keep what is wrong with it."""
        try:
            self._pm.asked(hook, every - {one.plugin_name})
        except DrizframeError as error:
            cause = error.__cause__ or error
            text = f"{type(cause).__name__}: {cause}{place_of(cause, one.function.__module__)}"
            dist, version = self._state.sources.get(one.plugin_name, ("", ""))
            failure = _Failure(one.plugin_name, dist, version, text, hook)
            if failure not in self._state.failures:
                self._state.failures.append(failure)
            return False
        return True

    @_locked
    def plugins(self) -> list[PluginInfo]:
        """Return all plugins: active, disabled, failed."""
        found = []
        for name, hooks in self._hooks().items():
            dist, version = self._state.sources.get(name, ("", ""))
            if self.is_stock(name):
                from drizframe._version import __version__

                dist, version = PROJECT, __version__
            found.append(PluginInfo(name=name, version=version, distribution=dist, hooks=hooks))
        found += self._state.disabled
        found += [
            PluginInfo(
                name=f.name, version=f.version, distribution=f.distribution, state="failed", error=f.error
            )
            for f in self._state.failures
        ]
        return sorted(found, key=lambda p: (p.distribution != PROJECT, p.name))

    @_locked
    def distributed(self) -> list[Distributed]:
        """Return the active plugins that come with installed packages other than drizframe."""
        return [
            Distributed(
                distribution=self._state.sources[name][0],
                source=self.source_of(name),
                package=(plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__module__).partition(".")[0],
            )
            for name, plugin in self._pm.list_name_plugin()
            if plugin is not None and not self.is_stock(name) and self._state.sources.get(name, ("", ""))[0]
        ]  # fmt: skip

    @_locked
    def listening(
        self, listeners: Iterable[Any], dropped: Callable[[str, str, BaseException], None]
    ) -> HookCalls:
        """Return the callers of the listener hooks for one run: those of the plugins, and of further listeners.

        Parameters
        ----------
        listeners : iterable of objects
            Their methods are called if they are named or marked as a listener hook.  They come before the plugins, the
            first one first, as if they were registered last.
        dropped : callable
            ``dropped(who, hook, error)``: told of a listener that raised.  It is not called again in this run.

        Raises
        ------
        HookError
            If a listener has no listener hook, or one with arguments that the hook does not have.
        """

        def fault(one: Any, hook: str, error: BaseException) -> None:
            if calls.has_plugin(one.plugin_name):
                calls.unregister(name=one.plugin_name)
            dropped(
                names.get(one.plugin_name)
                or f"Plugin {one.plugin_name!r} of {self.source_of(one.plugin_name)}",
                hook,
                error,
            )

        hooks = self._hooks()
        plugins = [n for n, own in hooks.items() if not set(specs.LISTENERS).isdisjoint(own)]
        listeners = list(listeners)
        if not plugins and not listeners:
            if self._silent is None:
                self._silent = HookCalls(self.source_of, self._hook_failed)
            return self._silent
        names: dict[str, str] = {}
        calls = HookCalls(lambda name: names.get(name) or self.source_of(name), fault)
        for name in plugins:
            calls.register(self._pm.get_plugin(name), name=name)
        for number, listener in reversed(list(enumerate(listeners, start=1))):
            name = f"listener {number} of this run"
            names[name] = f"Listener {listener!r}"
            calls.register(adapted(listener), name=name)
        return calls

    @_locked
    def missing(self) -> list[str]:
        """Return a warning for everything that failed while plugins were loaded and asked for components, or was misspelt.

        Raises
        ------
        PluginError
            If a plugin failed that gives steps: without them the result of a run would be another.
        """
        for one in self._state.failures:
            if one.steps:
                msg = (
                    f"Plugin {one.whose} gives steps and cannot be used. {one.error}. Without its steps the result would be "
                    f"another. Mend the plugin, or set DRIZFRAME_DISABLED_PLUGINS={one.name} to run without it."
                )
                raise PluginError(msg)
        failed = [one.told() for one in self._state.failures if one.hook not in specs.STEP_HOOKS]
        return [*self._state.strays, *failed]

    @property
    def failures(self) -> list[PluginInfo]:
        """Return the plugins that failed."""
        return [p for p in self.plugins() if p.state == "failed"]
