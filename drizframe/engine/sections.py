"""Parameter sections of plugins: ``plugins={"lacosmic": {"sigclip": 4}}``, ``--set lacosmic.sigclip=4``, ``[plugins.lacosmic]``.

A section belongs to all components and steps whose name begins with it (up to the first dot); each is given the values
that its own model knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from drizframe.config import Parameters
from drizframe.errors import ParameterError, nearest
from drizframe.hooks import Component, Registry, Step

__all__ = ["check_sections", "options_of", "section_of"]


def section_of(owner: Component | Step) -> str:
    """Return the name of the parameter section of a component or step: its name up to the first dot."""
    return owner.name.partition(".")[0]


def options_of(owner: Component | Step, parameters: Parameters) -> Any:
    """Return the validated section of a component or step; None if it has no parameters of its own.

    Raises
    ------
    ParameterError
        For a wrong value, or one that is missing.
    """
    model = owner.options_model
    if model is None:
        return None
    section = section_of(owner)
    given = _as_mapping(section, parameters.plugins.get(section, {}))
    known = _keys(model)
    try:
        return model.model_validate({k: v for k, v in given.items() if k in known})
    except ValidationError as error:
        raise ParameterError(_message(section, owner, error)) from None


def check_sections(parameters: Parameters, registry: Registry, steps: Sequence[Step]) -> None:
    """Check the sections of all plugins while planning.

    Parameters
    ----------
    parameters : Parameters
        The sections, and records that were given directly.
    registry : Registry
        Components.
    steps : sequence of Step
        All steps, also those that are off.

    Raises
    ------
    ParameterError
        For a section or name that nobody knows (the nearest one is suggested), or a wrong value.
    """
    owners: dict[str, list[Component | Step]] = {}
    direct = [
        v for v in (getattr(parameters, n) for n in type(parameters).model_fields) if isinstance(v, Component)
    ]
    everyone: list[Component | Step] = [*(e.record for e in registry), *direct, *steps]
    for owner in everyone:
        if owner.options_model is not None:
            owners.setdefault(section_of(owner), []).append(owner)
    for section, values in parameters.plugins.items():
        if section not in owners:
            raise ParameterError(_unknown_section(section, owners))
        given = _as_mapping(section, values)
        known = {k for o in owners[section] if o.options_model is not None for k in _keys(o.options_model)}
        for name in given:
            if name not in known:
                msg = (
                    f"Plugin section {section!r} has no parameter {name!r}.{_hint(name, known)} "
                    f"It has: {', '.join(sorted(known))}."
                )
                raise ParameterError(msg)
        for owner in owners[section]:
            options_of(owner, parameters)
    for owner in _used(parameters, registry, direct, steps):
        options_of(owner, parameters)


def _used(
    parameters: Parameters, registry: Registry, direct: Iterable[Component], steps: Sequence[Step]
) -> Iterator[Component | Step]:
    """Yield what the run may use: it may lack a value that has no default."""
    yield from direct
    names = {v for v in (getattr(parameters, n) for n in type(parameters).model_fields) if isinstance(v, str)}
    yield from (e.record for e in registry if e.record.name in names)
    yield from (s for s in steps if s.enabled is None)


def _keys(model: type[BaseModel]) -> set[str]:
    return {name for n, f in model.model_fields.items() for name in (n, f.alias) if name}


def _as_mapping(section: str, values: Any) -> Mapping[str, Any]:
    if isinstance(values, BaseModel):
        return values.model_dump(exclude_unset=True)
    if not isinstance(values, Mapping):
        msg = f"Plugin section {section!r} is {values!r}; give names with values, such as {{'name': 1}}."
        raise ParameterError(msg)
    return values


def _hint(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f" Did you mean {near!r}?" if near else ""


def _unknown_section(section: str, owners: Mapping[str, Any]) -> str:
    has = (
        f"There are: {', '.join(sorted(owners))}."
        if owners
        else "No plugin that is installed has parameters."
    )
    return f"There is no plugin section {section!r}.{_hint(section, owners)} {has} `drizframe plugins` lists plugins."


def _message(section: str, owner: Component | Step, error: ValidationError) -> str:
    lines = []
    for item in error.errors():
        name = ".".join(str(p) for p in item["loc"]) or "?"
        field = owner.options_model.model_fields.get(name) if owner.options_model else None
        about = f" ({field.description})" if field is not None and field.description else ""
        text = item["msg"].removeprefix("Value error, ")
        if item["type"] == "missing":
            lines.append(
                f"{owner.name!r} needs {section}.{name}{about}, which has no default. "
                f"Give it with --set {section}.{name}=…"
            )
        else:
            lines.append(f"Parameter {section}.{name} = {item['input']!r} of {owner.name!r}: {text}.{about}")
    return "\n".join(lines)
