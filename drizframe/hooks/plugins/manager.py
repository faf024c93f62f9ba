"""Finding plugins: stock ones by dotted name, installed ones by entry point, session ones by `register`."""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import os
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

import pluggy

from drizframe.errors import DrizframeError, DrizframeWarning, HookError, PluginError
from drizframe.hooks import specs
from drizframe.hooks.guard import FAULTS
from drizframe.hooks.markers import PROJECT
from drizframe.hooks.plugins.checks import check_plugin, origin_of, target_of, title_of
from drizframe.hooks.plugins.stages import listed, place_of, steps_of, wrapped_step
from drizframe.hooks.shipped import STOCK

__all__ = ["LOCK", "STOCK", "PluginInfo", "PluginManager"]

#: Held while plugins and the registry of a process are changed or looked at; a hook may ask for them again.
LOCK = threading.RLock()

_F = TypeVar("_F", bound=Callable[..., Any])

log = logging.getLogger("drizframe")


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


@dataclass(slots=True)
class _Failure:
    name: str
    distribution: str
    version: str
    error: str
    hook: str = ""


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
        self._pm = pluggy.PluginManager(PROJECT)
        self._pm.add_hookspecs(specs)
        self._state = _State()
        self._stock: frozenset[str] = frozenset(STOCK) if stock else frozenset()
        self.generation = 0
        if os.environ.get("DRIZFRAME_TRACE_HOOKS") == "1":
            self._pm.trace.root.setwriter(lambda text: log.info("hook: %s", text.rstrip()))
            self._pm.enable_tracing()
        if stock:
            for dotted in STOCK:
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
        for point in sorted(importlib.metadata.entry_points(group=PROJECT), key=lambda p: p.name):
            dist, version = origin_of(point)
            if {point.name, dist} & disabled or (only is not None and not {point.name, dist} & set(only)):
                self._state.disabled.append(
                    PluginInfo(name=point.name, version=version, distribution=dist, state="disabled")
                )
                continue
            package = ""
            try:
                package = target_of(point)
                self._add(point.load(), point.name, dist, version)
            except FAULTS as error:
                self._fail(point.name, dist, version, error, package=package)

    def _fail(
        self, name: str, dist: str, version: str, error: BaseException, what: str = "Plugin", *, hook: str = "", package: str = ""
    ) -> None:  # fmt: skip
        failure = _Failure(
            name, dist, version, f"{type(error).__name__}: {error}{place_of(error, package)}", hook
        )
        if failure in self._state.failures:
            return
        self._state.failures.append(failure)
        source = f"{dist} {version}".strip() or "this session"
        what = f"Hook {hook} of plugin" if hook else what
        warnings.warn(
            f"{what} {name!r} of {source} cannot be used and is skipped. {failure.error}",
            DrizframeWarning,
            stacklevel=4,
        )

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

    def is_stock(self, name: str) -> bool:
        """Whether drizframe itself ships a plugin; its name alone does not tell."""
        return name in self._stock

    def source_of(self, name: str) -> str:
        """Return distribution and version of a plugin, for messages."""
        if self.is_stock(name):
            return "drizframe"
        dist, version = self._state.sources.get(name, ("", ""))
        return f"{dist} {version}".strip() or f"{name} (this session)"

    @_locked
    def collect(self, hook: str) -> list[tuple[str, Any]]:
        """Call a component hook of every plugin; return (plugin name, record) pairs.

        A plugin whose hook raises is warned about and skipped.
        """
        pairs: list[tuple[str, Any]] = []
        caller = getattr(self._pm.hook, hook)
        for implementation in caller.get_hookimpls():
            name = implementation.plugin_name
            try:
                pairs.extend((name, record) for record in listed(implementation.function, hook))
            except FAULTS as error:
                if self.is_stock(name):
                    raise
                dist, version = self._state.sources.get(name, ("", ""))
                package = implementation.function.__module__
                self._fail(name, dist, version, error, hook=hook, package=package)
        return pairs

    @_locked
    def stage(self, hook: str) -> Any:
        """Return the step that does a stage: of the last plugin that answers, through all wrappers; None if it is off.

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
        return wrapped_step(
            getattr(self._pm.hook, hook).get_hookimpls(), hook, specs.STAGES[hook], self.source_of
        )

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
        return steps_of(self._pm.hook.drizframe_extra_steps.get_hookimpls(), self.source_of)

    @_locked
    def steps(self) -> list[Any]:
        """Return all steps of all plugins, each with its provider; plugins whose hooks raise are listed as failed.

        A run that needs those is an error that says the same, so there is no warning.
        """
        found = []
        for hook in ("drizframe_extra_steps", *specs.STAGES):
            every = getattr(self._pm.hook, hook).get_hookimpls()
            stock = [one for one in every if self.is_stock(one.plugin_name)]
            good = [one for one in every if one in stock or self._answers(one, hook, stock)]
            if hook in specs.STAGES:
                step = wrapped_step(good, hook, specs.STAGES[hook], self.source_of)
                found += [] if step is None else [step]
            else:
                found += steps_of(good, self.source_of)
        return found

    def _answers(self, one: Any, hook: str, stock: list[Any]) -> bool:
        """Ask one plugin for its steps; keep what is wrong with it."""
        try:
            if hook in specs.STAGES:
                wrapped_step([*stock, one], hook, specs.STAGES[hook], self.source_of)
            else:
                steps_of([one], self.source_of)
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
        for name, plugin in self._pm.list_name_plugin():
            if plugin is None:
                continue
            dist, version = self._state.sources.get(name, ("", ""))
            if self.is_stock(name):
                from drizframe._version import __version__

                dist, version = "drizframe", __version__
            found.append(
                PluginInfo(name=name, version=version, distribution=dist, hooks=self._hooks_of(plugin))
            )
        found += self._state.disabled
        found += [
            PluginInfo(
                name=f.name, version=f.version, distribution=f.distribution, state="failed", error=f.error
            )
            for f in self._state.failures
        ]
        return sorted(found, key=lambda p: (p.distribution != "drizframe", p.name))

    @_locked
    def listeners(self) -> list[tuple[str, Any]]:
        """Return the plugins that implement a listener hook, by name, in the order in which they were registered."""
        hooks = {"drizframe_before_step", "drizframe_after_step", "drizframe_progress"}
        return [
            (n, p) for n, p in self._pm.list_name_plugin() if p is not None and hooks & set(self._hooks_of(p))
        ]

    @property
    def failures(self) -> list[PluginInfo]:
        """Return the plugins that failed."""
        return [p for p in self.plugins() if p.state == "failed"]
