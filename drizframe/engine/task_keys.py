"""Keys of tasks: digests of all that their results depend on.

A key holds the step (name, version, provider, options), the parameters that its results may depend on, the components that
these name, the inputs, the frames, the code, the unit and the window; and the contents of the planes that the step needs, so
that a task is done again when another one came to another result than before.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from drizframe._fast import resolved
from drizframe._version import __version__
from drizframe.config import Parameters
from drizframe.config.parameters import of_steps, without_effect
from drizframe.engine.bound import BoundStep
from drizframe.engine.fingerprint import SIZE, Printer, Unknown, code_stamp, file_stamp
from drizframe.engine.plan import COMPONENT_PARAMETERS, Plan
from drizframe.engine.store import Store
from drizframe.hooks import Component, Registry
from drizframe.hooks.markers import PROJECT, is_ours
from drizframe.hooks.plugins.registry import compiled_available
from drizframe.model import Unit, Window

__all__ = ["TaskKeys", "place_of"]

#: Parameters that the contents of planes stand for.
_AS_PLANES = frozenset({"crmasks"})


def place_of(step: str, unit: Unit, window: Window | None) -> str:
    """Return a digest of step, unit and window."""
    return hashlib.blake2b(repr((step, unit, window)).encode(), digest_size=SIZE).hexdigest()


def _own(step: BoundStep) -> tuple[str, ...] | None:
    """Return the parameters that a step declares; None if it does not, or if another one is around it."""
    return None if " around " in step.step.provider else step.step.parameters


def _declared(step: BoundStep, name: str) -> bool:
    """Whether results of a step may depend on a parameter; on those that are of no step, those of all may."""
    own = _own(step)
    return (
        own is None
        or name not in {*of_steps(), *COMPONENT_PARAMETERS}
        or any(name == one or (one.endswith("*") and name.startswith(one[:-1])) for one in own)
    )


@dataclass(slots=True, eq=False)
class TaskKeys:
    """Makes the keys of the tasks of a run.

    Parameters
    ----------
    plan : Plan
        Of the run.
    registry : Registry
        Knows who provides components.
    files : sequence of pathlib.Path
        All files that the run reads.
    store : Store
        Has the planes that were there before the first step.
    wanted : frozenset of str
        Names of planes that are kept for the end of the run: steps may leave out what nobody wants.
    wcsmap : class, callable or None
        The user's map from chips to frames.
    """

    plan: Plan
    registry: Registry
    files: Sequence[Path]
    store: Store
    wanted: frozenset[str] = frozenset()
    wcsmap: Any = None
    _printer: Printer = field(init=False)
    _base: str = field(init=False)
    _sources: frozenset[str] = field(init=False)
    _session: bool = field(init=False)
    _contents: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Digest what all steps depend on.

        Raises
        ------
        Unknown
            If that cannot be told from anything else.
        """
        known = [p for p in self.registry.manager.distributed() if p.distribution]
        self._sources = frozenset(p.source for p in known)
        provided = {id(e.record): self._provider(e.plugin) for e in self.registry}
        self._session = "" in provided.values()
        packages = {PROJECT, *(p.package for p in known)}
        self._printer = Printer(packages, lambda component: provided.get(id(component), ""))
        code = [[p.source, p.package, code_stamp(p.package)] for p in known]
        plan, parameters = self.plan, self.plan.parameters
        self._base = self._printer(
            [__version__, code_stamp(PROJECT), np.__version__, sys.version, platform.machine()],
            [resolved(parameters.backend), compiled_available()], code,
            plan.exposures, [[str(f), file_stamp(f)] for f in self.files],
            [[k.name, repr(k.unit), self.store.get(k)] for k in self.store.images()],
            sorted((repr(u), repr(w)) for u, w in plan.footprints.items()), self.wcsmap,
        )  # fmt: skip

    def _provider(self, plugin: str) -> str:
        """Return distribution and version of a plugin; blank for one of the session."""
        source = self.registry.manager.source_of(plugin)
        return source if is_ours(source) or source in self._sources else ""

    def of_step(self, step: BoundStep) -> str:
        """Return what the keys of all tasks of a step have in common.

        Raises
        ------
        Unknown
            If it works with something of which nobody can tell whether it is the same as before.
        """
        self._check_provider(step)
        needs = []
        for need in step.needs.values():
            content = self._contents.get(need.plane, "given")
            if content is None:
                raise Unknown(f"plane {need.plane!r}, whose contents cannot be told")
            needs.append([need.plane, need.of, need.border, content])
        later = {
            name for s in self.plan.steps[self.plan.steps.index(step) + 1 :] for name in s.needs
        } | self.wanted
        makes = [[plane.describe(), plane.name, plane.name in later] for plane in step.planes.values()]
        return self._printer(
            self._base, [step.name, step.over, step.grid, step.step.version, step.step.provider, step.options],
            needs, makes, self._parameters(step), [[n, f] for n, f in self.plan.frames.items() if self._may_use(step, n)],
        )  # fmt: skip

    def _check_provider(self, step: BoundStep) -> None:
        """Refuse a step whose code may be other code the next time, or that may call such."""
        provider = step.step.provider
        for source in provider.split(" around "):
            if not is_ours(source) and source not in self._sources:
                raise Unknown(f"step {step.name!r} of {source}")
        if not is_ours(provider) and self._session:
            raise Unknown(f"step {step.name!r} of {provider}, which may call components of this session")

    def _parameters(self, step: BoundStep) -> list[list[Any]]:
        """Return the parameters on which results may depend, and the components that they name."""
        parameters, without = self.plan.parameters, without_effect() | _AS_PLANES
        found = []
        for name in sorted(set(Parameters.model_fields) - without):
            if not _declared(step, name):
                continue
            value = getattr(parameters, name)
            if name in COMPONENT_PARAMETERS and value != "" and not isinstance(value, Component):
                value = self.registry.get(COMPONENT_PARAMETERS[name], value)
            found.append([name, value])
        return found

    def _may_use(self, step: BoundStep, frame: str) -> bool:
        """Whether results may depend on a frame: one that its tiles, planes or parameters are of, or any if it does not tell."""
        if _own(step) is None:
            return True
        planes = [self.plan.planes[n] for n in (*step.needs, *step.planes)]
        grids = {p.grid for p in planes} | {step.grid}
        if "exposure" in grids or any(p.on == "exposure" for p in planes):
            grids.add("separate")  # footprints lie there
        return frame in grids or any(n.startswith(f"{frame}_") for n in _own(step) or ())

    def of_task(self, common: str, place: str) -> str:
        """Return the key of a task: what `of_step` gave, and where it works."""
        return hashlib.blake2b(f"{common} {place}".encode(), digest_size=SIZE).hexdigest()

    def made(self, contents: Mapping[str, str | None]) -> None:
        """Take note of what a step made.

        Parameters
        ----------
        contents : mapping of str to str or None
            Digest of what it made of each plane; None: it cannot be told.
        """
        for name, content in contents.items():
            before = self._contents.get(name, "given")
            unknown = before is None or content is None
            self._contents[name] = None if unknown else self._printer([before, content])
