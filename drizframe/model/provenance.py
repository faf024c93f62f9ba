"""What made a product: plugins, components with their options, and steps; plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

__all__ = ["ComponentUse", "PluginUse", "Provenance", "StepUse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginUse:
    """A plugin that was there when a run was made.

    Parameters
    ----------
    name : str
        Name of the plugin.
    distribution, version : str
        Of the package that it comes with; blank for one of the session.
    state : {"used", "unused", "disabled", "failed"}
        Whether something of it made the product.  One that only listens is not used: it changes nothing.
    """

    name: str
    distribution: str = ""
    version: str = ""
    state: Literal["used", "unused", "disabled", "failed"] = "unused"

    @property
    def source(self) -> str:
        """Distribution and version; the name of a plugin of the session."""
        return f"{self.distribution} {self.version}".strip() or f"{self.name} (this session)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentUse:
    """A component that did a part of the work.

    Parameters
    ----------
    family, name : str
        Such as "kernel" and "square".
    provider : str
        Distribution and version; ``"drizframe"`` for its own; ``"the parameter …"`` for a record that was given.
    backend : {"", "cython", "reference"}
        Which implementation ran; blank where there is no choice.
    options : mapping of str to plain values
        Its own parameters, defaults too, with ``section.name`` as key.
    cite : str
        Where the formula comes from.
    """

    family: str
    name: str
    provider: str
    backend: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    cite: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUse:
    """A step that ran.

    Parameters
    ----------
    name : str
        Name of the step.
    provider : str
        Distribution and version; ``"one around another"`` for one that is wrapped.
    options : mapping of str to plain values
        As of `ComponentUse`.
    """

    name: str
    provider: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made a product.

    Parameters
    ----------
    version : str
        Version of drizframe.
    plugins : tuple of PluginUse
        All plugins that were installed or registered, also those that did nothing.
    components : tuple of ComponentUse
        Those that did a part of the work.
    steps : tuple of StepUse
        Those that ran, in their order.
    """

    version: str
    plugins: tuple[PluginUse, ...] = ()
    components: tuple[ComponentUse, ...] = ()
    steps: tuple[StepUse, ...] = ()

    @property
    def used(self) -> tuple[PluginUse, ...]:
        """The plugins that took part."""
        return tuple(p for p in self.plugins if p.state == "used")

    @property
    def foreign_steps(self) -> tuple[StepUse, ...]:
        """The steps that are not drizframe's alone: added, in place of a stage, or around one."""
        return tuple(s for s in self.steps if s.provider != "drizframe")

    def as_dict(self) -> dict[str, Any]:
        """Return dictionaries and lists of plain values, such as `json` can write."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return one line of text for each plugin, component, step and option."""
        said = [f"drizframe {self.version}"]
        states = {"used": "used", "unused": "installed, not used", "disabled": "disabled", "failed": "failed"}
        said += [f"plugin {p.name} of {p.source}: {states[p.state]}" for p in self.plugins]
        for c in self.components:
            backend = f", {c.backend}" if c.backend else ""
            cite = f"; cite {c.cite}" if c.cite else ""
            said.append(f"{c.family} {c.name} ({c.provider}{backend}){cite}")
            said += [f"  {name} = {value!r}" for name, value in c.options.items()]
        for s in self.foreign_steps:
            said.append(f"step {s.name} ({s.provider})")
            said += [f"  {name} = {value!r}" for name, value in s.options.items()]
        return said
