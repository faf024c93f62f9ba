"""Parameter sections of plugins: ``plugins={"lacosmic": {"sigclip": 4}}``, ``--set lacosmic.sigclip=4``, ``[plugins.lacosmic]``.

A section belongs to all components and steps whose name begins with it (up to the first dot); each is given the values
that its own model knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from pydantic import BaseModel, ValidationError

from drizframe.config import Parameters
from drizframe.config.toml import SetText
from drizframe.errors import ConflictError, ParameterError, PluginError, nearest, told
from drizframe.hooks import Component, Registry, Step
from drizframe.hooks.guard import FAULTS
from drizframe.hooks.markers import PROJECT
from drizframe.hooks.plugins.section_models import (
    accepts_all,
    differing,
    field_of,
    given_values,
    keys_of,
    names_of,
)

__all__ = ["check_sections", "options_of", "owners_of", "section_of"]

#: A component or step with parameters, and who provides it.
Owner = tuple["Component | Step", str]


def section_of(owner: Component | Step) -> str:
    """Return the name of the parameter section of a component or step: its name up to the first dot."""
    return owner.name.partition(".")[0]


def options_of(owner: Component | Step, parameters: Parameters) -> Any:
    """Return the validated section of a component or step; None if it has no parameters of its own.

    Raises
    ------
    ParameterError
        For a wrong value, or one that is missing.
    PluginError
        If the model itself raises something else than a ValueError.
    """
    model = owner.options_model
    if model is None:
        return None
    section = section_of(owner)
    values = parameters.plugins.get(section, {})
    if type(values) is model:
        return values
    given = _as_mapping(section, values)
    known = given if accepts_all(model) else keys_of(model)
    try:
        return _validated(model, {k: v for k, v in given.items() if k in known})
    except ValidationError as error:
        raise ParameterError(_message(section, owner, error)) from None
    except FAULTS as error:
        msg = f"The options_model of {owner.name!r} failed: {type(error).__name__}: {told(error)}."
        raise PluginError(msg, owner) from error


def _validated(model: type[BaseModel], given: Mapping[str, Any]) -> BaseModel:
    """Validate values; texts of a command line count as TOML, and where that does not fit as they were written."""
    typed = {k: _read(v) for k, v in given.items()}
    try:
        return model.model_validate(typed)
    except ValidationError as error:
        wrong = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
        written = {k: _written(v) for k, v in given.items() if k in wrong}
        if all(written[k] is typed[k] for k in written):
            raise
        try:
            return model.model_validate(typed | written)
        except ValidationError:
            raise error from None


def _read(value: Any) -> Any:
    """Return a value with texts of a command line read as TOML."""
    if isinstance(value, SetText):
        return value.value
    return {k: _read(v) for k, v in value.items()} if type(value) is dict else value


def _written(value: Any) -> Any:
    """Return a value with texts of a command line as they were written."""
    if isinstance(value, SetText):
        return str(value)
    return {k: _written(v) for k, v in value.items()} if type(value) is dict else value


def owners_of(
    registry: Registry, steps: Iterable[Step], direct: Iterable[Component] = ()
) -> dict[str, list[Owner]]:
    """Return the components and steps that have parameters, by section, each with its provider.

    Parameters
    ----------
    registry : Registry
        Components.
    steps : iterable of Step
        All steps.
    direct : iterable of Component
        Records that were given as parameters.
    """
    everyone: list[Owner] = [(e.record, e.provider) for e in registry]
    known = {id(o) for o, _ in everyone}
    everyone += [(c, "given directly") for c in direct if id(c) not in known]
    everyone += [(s, s.provider or PROJECT) for s in steps]
    owners: dict[str, list[Owner]] = {}
    for owner, provider in everyone:
        if owner.options_model is not None:
            owners.setdefault(section_of(owner), []).append((owner, provider))
    return owners


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
    ConflictError
        If two models of a section that is used define one name differently.
    """
    direct = [
        v for v in (getattr(parameters, n) for n in type(parameters).model_fields) if isinstance(v, Component)
    ]
    owners = owners_of(registry, steps, direct)
    used = list(_used(parameters, registry, direct, steps))
    for section in owners:
        if section in parameters.plugins or any(section_of(o) == section for o in used if o.options_model):
            _check_agreement(section, owners[section])
    for section, values in parameters.plugins.items():
        if section not in owners:
            raise ParameterError(_unknown_section(section, owners, registry.manager.switched_off(section)))
        _check_names(section, _as_mapping(section, values), [o for o, _ in owners[section]])
        for owner, _ in owners[section]:
            options_of(owner, parameters)
    for record in used:
        options_of(record, parameters)


def _check_names(section: str, given: Mapping[str, Any], owners: Iterable[Component | Step]) -> None:
    """Refuse names that no model of a section accepts."""
    models = [o.options_model for o in owners if o.options_model is not None]
    if any(accepts_all(m) for m in models):
        return
    known = {k for m in models for k in keys_of(m)}
    for name in given:
        if name not in known:
            msg = (
                f"Plugin section {section!r} has no parameter {name!r}.{_called(name, models) or _hint(name, known)} "
                f"It has: {', '.join(sorted(known)) or 'none'}."
            )
            raise ParameterError(msg)


def _called(name: Any, models: Iterable[type[BaseModel]]) -> str:
    """Say what a field is called that has an alias."""
    for model in models:
        if name in model.model_fields:
            return f" It is called {names_of(model, name, model.model_fields[name])[0]!r}."
    return ""


def _check_agreement(section: str, owners: Sequence[Owner]) -> None:
    """Refuse a section in which one name means two things."""
    for (one, first), (two, second) in combinations(owners, 2):
        if one.options_model is None or two.options_model is None:
            continue
        for key, here, there in differing(one.options_model, two.options_model):
            msg = (
                f"Plugin section {section!r} has two parameters named {key!r}: {one.name!r} of {first} wants {here}, "
                f"{two.name!r} of {second} wants {there}. A section is shared by all whose names begin with it, so give one "
                f"of the two another name, or disable one with DRIZFRAME_DISABLED_PLUGINS."
            )
            raise ConflictError(msg)


def _used(
    parameters: Parameters, registry: Registry, direct: Iterable[Component], steps: Sequence[Step]
) -> Iterator[Component | Step]:
    """Yield what the run may use: it may lack a value that has no default."""
    yield from direct
    names = {v for v in (getattr(parameters, n) for n in type(parameters).model_fields) if isinstance(v, str)}
    yield from (e.record for e in registry if e.record.name in names)
    yield from (s for s in steps if s.enabled is None)


def _as_mapping(section: str, values: Any) -> Mapping[str, Any]:
    if isinstance(values, BaseModel):
        return given_values(values)
    if not isinstance(values, Mapping):
        msg = f"Plugin section {section!r} is {values!r}; give names with values, such as {{'name': 1}}."
        raise ParameterError(msg)
    return values


def _hint(name: Any, known: Iterable[str]) -> str:
    near = nearest(str(name), known)
    return f" Did you mean {near!r}?" if near else ""


def _unknown_section(section: str, owners: Mapping[str, Any], off: str) -> str:
    has = (
        f"There are: {', '.join(sorted(owners))}."
        if owners
        else "No plugin that is installed has parameters."
    )
    near = f" {off}" if off else _hint(section, owners)
    return f"There is no plugin section {section!r}.{near} {has} `drizframe plugins` lists plugins."


def _message(section: str, owner: Component | Step, error: ValidationError) -> str:
    lines = []
    for item in error.errors():
        name = ".".join(str(p) for p in item["loc"])
        field = field_of(owner.options_model, name) if owner.options_model else None
        about = f" ({field.description})" if field is not None and field.description else ""
        text = item["msg"].removeprefix("Value error, ")
        if item["type"] == "missing":
            lines.append(
                f"{owner.name!r} needs {section}.{name}{about}, which has no default. "
                f"Give it with --set {section}.{name}=…"
            )
        elif not name:
            lines.append(f"Section {section!r} of {owner.name!r}: {text}. It was given: {item['input']!r}")
        else:
            lines.append(f"Parameter {section}.{name} = {item['input']!r} of {owner.name!r}: {text}.{about}")
    return "\n".join(lines)
