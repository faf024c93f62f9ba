"""Which steps run: the rules that tie the switches of the steps together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from drizframe.config import Parameters
from drizframe.hooks import Registry
from drizframe.model import Exposure

__all__ = ["resolve_switches"]


def resolve_switches(
    parameters: Parameters, exposures: Sequence[Exposure], registry: Registry
) -> tuple[Parameters, list[str]]:
    """Make the switches of the steps consistent.

    Parameters
    ----------
    parameters : Parameters
        As the user gave them.
    exposures : sequence of Exposure
        What is combined.
    registry : Registry
        Tells whether the cosmic-ray detector needs a blotted median.

    Returns
    -------
    parameters : Parameters
        With switches changed where needed.
    notes : list of str
        What was changed, and why.

    Notes
    -----
    With several exposures a detector that compares needs blot, blot needs the median, the median the single
    images. A single exposure has nothing to compare with: median and blot are off, and so are detectors that
    need a blot.
    """
    changed: dict[str, Any] = {}
    notes: list[str] = []
    detector = registry.get("cosmic-ray detector", parameters.cr_detector)
    needs_blot = "needs_blot" in detector.traits
    if len(exposures) == 1:
        off = ["median", "blot"] + (["driz_cr"] if needs_blot else [])
        for name in off:
            if getattr(parameters, name):
                changed[name] = False
        if changed:
            notes.append(f"One exposure: {', '.join(changed)} off, there is nothing to compare it with.")
        return parameters.model_copy(update=changed), notes
    chain = (["driz_cr"] if needs_blot else []) + ["blot", "median", "driz_separate"]
    for later, earlier in pairwise(chain):
        if changed.get(later, getattr(parameters, later)) and not changed.get(
            earlier, getattr(parameters, earlier)
        ):
            changed[earlier] = True
            notes.append(f"{earlier} is switched on because {later} needs it.")
    return parameters.model_copy(update=changed), notes
