"""All components by family and name: read-only, built once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from drizframe._fast import available, remedy, resolved
from drizframe.errors import BackendError, ConflictError, HookError, UnknownComponentError
from drizframe.hooks.markers import is_ours
from drizframe.hooks.plugins.manager import PluginManager
from drizframe.hooks.records import Component
from drizframe.hooks.specs import COMPONENT_HOOKS

__all__ = ["Entry", "Registry", "choose"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """A component and who provides it.

    Parameters
    ----------
    record : Component
        The component.
    plugin, provider : str
        Name of the plugin; its distribution and version.
    rank : int
        Its place among the answers of all plugins, in the order in which pluggy calls them.
    """

    record: Component
    plugin: str
    provider: str
    rank: int = 0


class Registry:
    """The components of a plugin manager, by family and name.

    Parameters
    ----------
    manager : PluginManager
        Where they come from.
    strict : str
        Name of a plugin whose faults are errors; those of others are warned about.

    Raises
    ------
    ConflictError
        If the plugin `strict` provides a name that another one provides too.
    HookError
        If it yields something that is no component of the family.

    Notes
    -----
    Where two plugins clash, the name is neither's: asking for it is the error.  A name of drizframe itself stays
    drizframe's.
    """

    def __init__(self, manager: PluginManager, strict: str = "") -> None:
        self.manager = manager
        self._clashes: dict[tuple[str, str], ConflictError] = {}
        families: dict[str, dict[str, Entry]] = {family: {} for family in COMPONENT_HOOKS.values()}
        for hook, family in COMPONENT_HOOKS.items():
            asked = list(enumerate(manager.collect(hook)))
            for rank, (plugin, record) in sorted(
                asked, key=lambda one: (not manager.is_stock(one[1][0]), -one[0])
            ):
                try:
                    _add(families[family], family, record, plugin, manager.source_of(plugin), rank)
                except (ConflictError, HookError) as error:
                    if strict == plugin or manager.is_stock(plugin):
                        raise
                    manager.report(plugin, error)
                    if isinstance(error, ConflictError):
                        self._clash(families[family], family, record.name, error)
        for family, name in self._clashes:
            families[family].pop(name)
        self._families: Mapping[str, Mapping[str, Entry]] = MappingProxyType(
            {f: MappingProxyType(dict(sorted(e.items()))) for f, e in families.items()}
        )

    def _clash(self, entries: dict[str, Entry], family: str, name: str, error: ConflictError) -> None:
        """Take a name that two strangers provide from both."""
        if not is_ours(entries[name].provider):
            self._clashes[family, name] = error

    @property
    def families(self) -> tuple[str, ...]:
        """Names of the families."""
        return tuple(self._families)

    def names(self, family: str) -> tuple[str, ...]:
        """Names of the components of a family, sorted."""
        return tuple(self._families[family])

    def entry(self, family: str, name: str) -> Entry:
        """Return a component with its provider; some parameters change the case of names, so it need not agree.

        Raises
        ------
        UnknownComponentError
            If there is none of that name; a plugin that failed to load is mentioned.
        ConflictError
            If two plugins provide it.
        """
        if (family, name) in self._clashes:
            raise self._clashes[family, name]
        entries = self._families.get(family, {})
        if name in entries:
            return entries[name]
        alike = [e for n, e in entries.items() if n.casefold() == str(name).casefold()]
        if len(alike) != 1:
            failed = [f"\n* plugin {p.name} of {p.source} failed: {p.error}" for p in self.manager.failures]
            note = (
                f"Some plugins cannot be used, so what they give is not there:{''.join(failed)}"
                if failed
                else ""
            )
            off = self.manager.switched_off(name)
            raise UnknownComponentError(family, name, entries, f"{off} {note}".strip())
        return alike[0]

    def get(self, family: str, name: Any) -> Any:
        """Return a component record by name; a record is returned as it is, if it is of that family."""
        if isinstance(name, Component):
            if name.family != family:
                msg = f"A {family} is wanted here, but {name.name!r} is a {name.family}."
                raise HookError(msg)
            return name
        return self.entry(family, name).record

    def records(self, family: str) -> Iterator[Component]:
        """Yield the records of a family in order of their names."""
        for entry in self._families[family].values():
            yield entry.record

    def asked(self, family: str) -> list[Entry]:
        """Return the components of a family in the order in which they are asked whether something is theirs.

        Parameters
        ----------
        family : str
            Such as "reader".

        Returns
        -------
        list of Entry
            In the order in which pluggy calls their plugins: the one that was registered last comes first, those of
            drizframe come last, ``tryfirst`` and ``trylast`` count; within a plugin as it yields them.
        """
        return sorted(self._families[family].values(), key=lambda e: e.rank)

    def __iter__(self) -> Iterator[Entry]:
        """Yield all entries, family by family."""
        for family in self._families.values():
            yield from family.values()


def _add(entries: dict[str, Entry], family: str, record: Any, plugin: str, provider: str, rank: int) -> None:
    if not isinstance(record, Component) or record.family != family:
        msg = f"Plugin {plugin!r} ({provider}) yields {record!r} where a {family} record is wanted."
        raise HookError(msg)
    if record.name in entries:
        other = entries[record.name]
        msg = (
            f"{family.capitalize()} {record.name!r} is provided twice, by {other.provider} ({other.plugin}) and "
            f"{provider} ({plugin}). Disable one of them with DRIZFRAME_DISABLED_PLUGINS, or rename the component."
        )
        raise ConflictError(msg)
    entries[record.name] = Entry(record=record, plugin=plugin, provider=provider, rank=rank)


def compiled_available() -> bool:
    """Whether the compiled modules were built and are not switched off."""
    return bool(available()) and resolved("auto") != "reference"


def choose(record: Component, backend: str) -> tuple[Callable[..., Any], str]:
    """Return the implementation that runs and its kind, "cython" or "reference".

    Parameters
    ----------
    record : Component
        The component.
    backend : {"auto", "reference", "cython"}
        ``"cython"`` raises if a component that should have a compiled half lacks it; ``"auto"`` is what
        ``DRIZFRAME_BACKEND`` says, and takes what there is if that is not set.

    Returns
    -------
    function : callable
        The implementation.
    kind : str
        ``"cython"`` or ``"reference"``.

    Raises
    ------
    BackendError
        For ``"cython"`` without compiled code.
    """
    reference, backend = record.reference, resolved(backend)
    if backend != "reference" and record.fast is not None:
        fast = record.fast
        if record.supports is None:
            return fast, "cython"
        supports = record.supports

        def dispatched(*args: Any, **kwargs: Any) -> Any:
            return (fast if supports(*args, **kwargs) else reference)(*args, **kwargs)  # type: ignore[misc]

        return dispatched, "cython"
    if backend == "cython" and record.loops:
        msg = (
            f"{record.family.capitalize()} {record.name!r} has no compiled half, but backend='cython' asks for one. "
            f"{remedy()}"
        )
        raise BackendError(msg)
    assert reference is not None  # noqa: S101  (checked when the record was made)
    return reference, "reference"
