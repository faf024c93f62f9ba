"""What the pydantic models of plugin sections accept: names, aliases, and how two models of one section agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo

__all__ = ["accepts_all", "differing", "field_of", "given_values", "keys_of", "names_of"]


def names_of(model: type[BaseModel], name: str, field: FieldInfo) -> list[str]:
    """Return the names under which a model accepts a field, the best first."""
    config: Mapping[str, Any] = model.model_config
    alias: Any = field.validation_alias
    if alias is None:
        return [name]
    by_name = bool(config.get("populate_by_name") or config.get("validate_by_name"))
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    found = [str(c.path[0]) if isinstance(c, AliasPath) else c for c in choices]
    if config.get("validate_by_alias", True) is False:
        return [name]
    return [*found, *([name] if by_name and name not in found else [])]


def keys_of(model: type[BaseModel]) -> list[str]:
    """Return all names that a model accepts."""
    return [key for name, field in model.model_fields.items() for key in names_of(model, name, field)]


def accepts_all(model: type[BaseModel]) -> bool:
    """Whether a model accepts names that it does not define."""
    return model.model_config.get("extra") == "allow"


def field_of(model: type[BaseModel], key: str) -> FieldInfo | None:
    """Return the field that a name stands for."""
    return next((f for n, f in model.model_fields.items() if key in (n, *names_of(model, n, f))), None)


def given_values(model: BaseModel) -> dict[str, Any]:
    """Return what was set in a model, by names that models of its kind accept; values stay what they are."""
    fields = type(model).model_fields
    found = {}
    for name in model.model_fields_set:
        key = names_of(type(model), name, fields[name])[0] if name in fields else name
        found[key] = getattr(model, name)
    return found


def differing(first: type[BaseModel], second: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    """Yield names that two models define differently: the name, and what it is in each."""
    for key in keys_of(first):
        one, other = field_of(first, key), field_of(second, key) if key in keys_of(second) else None
        if one is not None and other is not None and not _alike(one, other):
            yield key, _shown(one), _shown(other)


def _alike(one: FieldInfo, other: FieldInfo) -> bool:
    if one is other:
        return True
    return (
        one.annotation == other.annotation
        and one.default_factory is other.default_factory
        and repr(one.default) == repr(other.default)
    )


def type_of(field: FieldInfo) -> str:
    """Return the type of a field, for people."""
    annotation = field.annotation
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def default_of(field: FieldInfo) -> str:
    """Return the default of a field, for people."""
    if field.is_required():
        return "(must be given)"
    return f"{field.default_factory.__name__}()" if field.default_factory is not None else repr(field.default)


def _shown(field: FieldInfo) -> str:
    return f"{type_of(field)}, {'no default' if field.is_required() else f'default {default_of(field)}'}"
