"""Which steps run: the rules that tie the switches of the steps together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from drizframe.config import Parameters
from drizframe.errors import ParameterError
from drizframe.hooks import Registry
from drizframe.model import Exposure

__all__ = ["resolve_switches"]

#: A note for the log, and whether the user must see it.
Note = tuple[str, bool]


def resolve_switches(
    parameters: Parameters, exposures: Sequence[Exposure], registry: Registry, *, lenient: bool = False
) -> tuple[Parameters, list[Note]]:
    """Make the switches of the steps consistent.

    Parameters
    ----------
    parameters : Parameters
        As the user gave them.
    exposures : sequence of Exposure
        What is combined.
    registry : Registry
        Tells whether the cosmic-ray detector needs a blotted median.
    lenient : bool
        Switch on again what the user switched off and another step needs, with a warning, as the reference does; otherwise
        what the user said holds.

    Returns
    -------
    parameters : Parameters
        With switches changed where needed.
    notes : list of tuple of str and bool
        What was changed, and why; True: a warning.

    Raises
    ------
    ParameterError
        If a step needs one that the user switched off, and `lenient` is False.

    Notes
    -----
    With several exposures a detector that compares needs blot, blot needs the median, the median the single
    images. A single exposure has nothing to compare with: median and blot are off, and so are detectors that
    need a blot.
    """
    detector = registry.get("cosmic-ray detector", parameters.cr_detector)
    needs_blot = "needs_blot" in detector.traits
    if len(exposures) == 1:
        changed, notes = _alone(parameters, needs_blot=needs_blot)
    else:
        chain = ["driz_separate", "median", "blot", *(["driz_cr"] if needs_blot else [])]
        changed, notes = (_switched_on if lenient else _switched_off)(parameters, chain)
    resolved = parameters.model_copy(update=changed)
    _check_cleaned(resolved, notes, lenient=lenient)
    return resolved, notes


def _alone(parameters: Parameters, *, needs_blot: bool) -> tuple[dict[str, Any], list[Note]]:
    """Switch off what a single exposure cannot have."""
    names = ["median", "blot", *(["driz_cr"] if needs_blot else [])]
    off = [n for n in names if getattr(parameters, n)]
    if not off:
        return {}, []
    wanted = any(n in parameters.model_fields_set for n in off)
    note = f"One exposure: {', '.join(off)} off, there is nothing to compare it with."
    return dict.fromkeys(off, False), [(note, wanted)]


def _switched_on(parameters: Parameters, chain: Sequence[str]) -> tuple[dict[str, Any], list[Note]]:
    """Switch on what later steps of the chain need."""
    changed: dict[str, Any] = {}
    notes: list[Note] = []
    for later, earlier in pairwise(reversed(chain)):
        if changed.get(later, getattr(parameters, later)) and not getattr(parameters, earlier):
            changed[earlier] = True
            notes.append(
                (
                    f"{earlier} is switched on because {later} needs it. Set {later}=False to leave it off.",
                    True,
                )
            )
    return changed, notes


def _switched_off(parameters: Parameters, chain: Sequence[str]) -> tuple[dict[str, Any], list[Note]]:
    """Switch off intermediate steps that lack one that the user switched off; refuse where results would be lost."""
    changed: dict[str, Any] = {}
    notes: list[Note] = []
    lacking = ""
    for earlier, later in pairwise(chain):
        if not getattr(parameters, earlier):
            lacking = earlier
        if not lacking or not getattr(parameters, later):
            continue
        if later == "driz_cr" or later in parameters.model_fields_set:
            given = " (on by default)" if later not in parameters.model_fields_set else "=True"
            msg = (
                f"{lacking}=False, but {later}{given} needs it: single images make the median, the median is blotted, and cosmic "
                f"rays are found by comparison with that. Give {later}=False too, or leave {lacking} on."
            )
            raise ParameterError(msg)
        changed[later] = False
        notes.append((f"{later} is off because {lacking} is.", False))
    return changed, notes


def _check_cleaned(parameters: Parameters, notes: list[Note], *, lenient: bool) -> None:
    """Say that cosmic rays cannot be replaced without the median that replaces them."""
    lacking = [n for n in ("driz_cr", "blot") if not getattr(parameters, n)]
    if not parameters.driz_cr_corr or not lacking:
        return
    text = f"driz_cr_corr=True replaces cosmic rays by the blotted median, but {' and '.join(lacking)} is off"
    if not lenient:
        msg = (
            f"{text}. Leave driz_cr_corr out, or switch {' and '.join(lacking)} on (with several exposures)."
        )
        raise ParameterError(msg)
    notes.append((f"{text}: no cleaned exposures are made.", True))
