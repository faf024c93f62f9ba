"""Who is to blame: the plugin whose component an error came from."""

from __future__ import annotations

from drizframe.config import Parameters
from drizframe.hooks import Component, Registry, owner_of

__all__ = ["culprit_of", "provider_of"]


def culprit_of(error: BaseException, registry: Registry, parameters: Parameters) -> str:
    """Return which component an error came from, and who provides it; blank if none of a plugin's.

    Parameters
    ----------
    error : BaseException
        As it left the component, called through `guarded` or `ask`.
    registry : Registry
        Components of plugins.
    parameters : Parameters
        May hold records that were given directly.

    Returns
    -------
    str
        Such as ``"Combiner 'mine.highest' of mine 1.2"``.
    """
    component = owner_of(error)
    provider = "" if component is None else provider_of(component, registry, parameters)
    if component is None or provider in ("", "drizframe"):
        return ""
    return f"{component.label[0].upper()}{component.label[1:]} of {provider}"


def provider_of(component: Component, registry: Registry, parameters: Parameters) -> str:
    """Return who provides a component: a distribution and its version, or the parameter that it was given as."""
    for entry in registry:
        if entry.record is component:
            return entry.provider
    for name in type(parameters).model_fields:
        if getattr(parameters, name) is component:
            return f"the parameter {name}"
    return ""
