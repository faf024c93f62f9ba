"""Calls of what is not ours, after which an error says whose it is, and a wrong answer too: not the step that asked."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import PluginError
from drizframe.hooks.markers import is_ours

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.hooks.plugins.registry import Registry
    from drizframe.hooks.records.base import Component

__all__ = [
    "FAULTS",
    "ask",
    "attributed",
    "blame",
    "culprit_of",
    "guarded",
    "image_of",
    "more_than_numbers",
    "number_of",
    "owner_of",
    "pair_of",
    "plugin_of",
    "provider_of",
    "whole_of",
]

#: What a stranger's code may raise that must not end the program without a word; SystemExit would.
FAULTS = (Exception, SystemExit, GeneratorExit)

_TAG = "drizframe_owner"
_KINDS = {"f": "numbers", "iu": "integers"}


class attributed:  # noqa: N801  (used like a function)
    """Let errors that leave the block carry whose they are; the innermost owner is to blame.

    A class, because `contextlib.contextmanager` writes to the errors that pass, which those of a plugin may refuse.

    Parameters
    ----------
    owner : Component or str
        A component, or the name of a plugin one of whose hooks is called.
    """

    def __init__(self, owner: Component | str) -> None:
        self._owner = owner

    def __enter__(self) -> None:
        """Nothing happens."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Mark an error."""
        if isinstance(error, FAULTS):
            blame(self._owner, error)


def guarded(component: Component, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function; errors that leave it carry the component.

    Parameters
    ----------
    component : Component
        Whose function it is.
    function : callable
        Any function of its record; the result has it as ``__wrapped__``.

    Returns
    -------
    function : callable
        With the same arguments and answers.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        with attributed(component):
            return function(*args, **kwargs)

    call.__wrapped__ = function  # type: ignore[attr-defined]
    return call


def ask(component: Component, function: Callable[..., Any] | None, /, *args: Any, **kwargs: Any) -> Any:
    """Call a function of a component; an error that leaves it carries the component.

    Parameters
    ----------
    component : Component
        Whose function it is.
    function : callable or None
        One of its functions; the record has it.
    *args, **kwargs
        Its arguments.

    Returns
    -------
    answer : object
        What the function returns.
    """
    assert function is not None  # noqa: S101  (checked when the record was made)
    with attributed(component):
        return function(*args, **kwargs)


def blame(owner: Component | str, error: BaseException) -> None:
    """Let an error carry the component (or the plugin, by name) that it left, if it does not carry one already.

    Parameters
    ----------
    owner : Component or str
        The component, or the name of the plugin.
    error : BaseException
        What left it.
    """
    if getattr(error, _TAG, None) is None:
        object.__setattr__(error, _TAG, owner)  # an exception may refuse to be changed


def owner_of(error: BaseException) -> Component | None:
    """Return the component that an error comes from; None if it is of none.

    Parameters
    ----------
    error : BaseException
        What was caught.

    Returns
    -------
    component : Component or None
        The innermost that it left.
    """
    found = getattr(error, _TAG, None)
    return None if isinstance(found, str) else found


def plugin_of(error: BaseException) -> str:
    """Return the name of the plugin whose hook an error comes from; blank if it is of none."""
    found = getattr(error, _TAG, None)
    return found if isinstance(found, str) else ""


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
    if component is None or is_ours(provider):
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


def more_than_numbers(answer: Any) -> str:
    """Return what an array has besides its numbers, which would be lost, and what to do; blank if it has nothing.

    Parameters
    ----------
    answer : object
        What came: a masked array, a quantity of astropy.
    """
    if np.ma.is_masked(answer):
        count = int(np.ma.getmaskarray(answer).sum())
        return f"{count} masked pixels. Nothing here has a mask: put NaN there, answer.filled(np.nan), or flag them in a plane of flags"
    unit = str(getattr(answer, "unit", None) or "")
    return (
        f"the unit {unit!r}. Give the numbers alone, answer.value, in the unit that is wanted" if unit else ""
    )


def image_of(
    component: Component, answer: Any, shape: tuple[int, ...], *, what: str, kinds: str = "f"
) -> np.ndarray[Any, Any]:
    """Return the array that a component answered.

    Parameters
    ----------
    component : Component
        Who answered.
    answer : object
        What came.
    shape : tuple of int
        What it must have.
    what : str
        What it is, for messages: "a weight map".
    kinds : {"f", "iu"}
        Whether it may hold any numbers, or integers only.

    Returns
    -------
    image : ndarray
        The answer.

    Raises
    ------
    PluginError
        If it has another shape, or holds something else.
    """
    if more := more_than_numbers(answer):
        msg = f"{_owner(component)} must return {what}. It returned {type(answer).__name__} with {more}."
        raise PluginError(msg, component)
    array = np.asarray(answer)
    allowed = "biuf" if kinds == "f" else "biu"
    if array.shape != shape or array.dtype.kind not in allowed:
        came = f"{type(answer).__name__} of shape {array.shape} and type {array.dtype}"
        msg = f"{_owner(component)} must return {what}: {_KINDS[kinds]} of shape {shape}. It returned {came}."
        raise PluginError(msg, component)
    return array


def pair_of(component: Component, answer: Any, what: str) -> tuple[Any, Any]:
    """Return both parts of an answer; refuse what is no pair.

    Parameters
    ----------
    component : Component
        Who answered.
    answer : object
        What came.
    what : str
        What it is, for messages: "values and count".

    Returns
    -------
    first, second : object
        Its parts.
    """
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        msg = f"{_owner(component)} must return {what}. It returned {type(answer).__name__} {answer!r:.80}."
        raise PluginError(msg, component)
    return answer[0], answer[1]


def number_of(component: Component, answer: Any, what: str, *, nan: bool = False) -> float:
    """Return a number that a component answered; refuse what is none, and NaN unless it may be.

    Parameters
    ----------
    component : Component
        Who answered.
    answer : object
        What came.
    what : str
        What it is, for messages: "a sky value".
    nan : bool
        Whether it may be NaN.

    Returns
    -------
    number : float
        The answer.
    """
    if isinstance(answer, np.generic | np.ndarray) and np.ndim(answer) == 0:
        answer = answer.item()
    good = isinstance(answer, int | float) and not isinstance(answer, bool)
    if not good or not (math.isfinite(answer) or (nan and math.isnan(answer))):
        msg = f"{_owner(component)} must return {what}. It returned {answer!r:.80}."
        raise PluginError(msg, component)
    return float(answer)


def whole_of(component: Component, answer: Any, what: str) -> int:
    """Return a whole number of 0 or more that a component answered.

    Parameters
    ----------
    component : Component
        Who answered.
    answer : object
        What came.
    what : str
        What it is, for messages: "the number of values".

    Returns
    -------
    number : int
        The answer.
    """
    number = number_of(component, answer, what)
    if number < 0 or number != int(number):
        msg = f"{_owner(component)} must return {what}. It returned {answer!r:.80}."
        raise PluginError(msg, component)
    return int(number)


def _owner(component: Component) -> str:
    return component.label[0].upper() + component.label[1:]
