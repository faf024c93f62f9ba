"""What components answer, checked where it comes in: a wrong answer names the component, not the step that asked."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import PluginError

if TYPE_CHECKING:
    from drizframe.hooks.records.base import Component

__all__ = ["image_of", "number_of", "pair_of", "whole_of"]

_KINDS = {"f": "numbers", "iu": "integers"}


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

    Raises
    ------
    PluginError
        If it has another shape, or holds something else.
    """
    array = np.asarray(answer)
    allowed = "biuf" if kinds == "f" else "biu"
    if array.shape != shape or array.dtype.kind not in allowed:
        came = f"{type(answer).__name__} of shape {array.shape} and type {array.dtype}"
        msg = f"{_owner(component)} must return {what}: {_KINDS[kinds]} of shape {shape}. It returned {came}."
        raise PluginError(msg, component)
    return array


def pair_of(component: Component, answer: Any, what: str) -> tuple[Any, Any]:
    """Return both parts of an answer; refuse what is no pair."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        msg = f"{_owner(component)} must return {what}. It returned {type(answer).__name__} {answer!r:.80}."
        raise PluginError(msg, component)
    return answer[0], answer[1]


def number_of(component: Component, answer: Any, what: str, *, nan: bool = False) -> float:
    """Return a number that a component answered; refuse what is none, and NaN unless it may be."""
    if isinstance(answer, np.generic | np.ndarray) and np.ndim(answer) == 0:
        answer = answer.item()
    good = isinstance(answer, int | float) and not isinstance(answer, bool)
    if not good or not (math.isfinite(answer) or (nan and math.isnan(answer))):
        msg = f"{_owner(component)} must return {what}. It returned {answer!r:.80}."
        raise PluginError(msg, component)
    return float(answer)


def whole_of(component: Component, answer: Any, what: str) -> int:
    """Return a whole number of 0 or more that a component answered."""
    number = number_of(component, answer, what)
    if number < 0 or number != int(number):
        msg = f"{_owner(component)} must return {what}. It returned {answer!r:.80}."
        raise PluginError(msg, component)
    return int(number)


def _owner(component: Component) -> str:
    return component.label[0].upper() + component.label[1:]
