"""The units of a run that planes belong to: a chip, an exposure, an output frame, or the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

__all__ = ["RUN", "ChipUnit", "ExposureUnit", "FrameUnit", "RunUnit", "Unit", "holds"]


@dataclass(frozen=True, slots=True, order=True)
class ChipUnit:
    """One chip of an exposure.

    Parameters
    ----------
    exposure : int
        Index of the exposure, from 0 in input order.
    chip : int
        Index of the chip within its exposure, from 0.
    """

    scope: ClassVar[str] = "chip"
    exposure: int
    chip: int


@dataclass(frozen=True, slots=True, order=True)
class ExposureUnit:
    """One exposure.

    Parameters
    ----------
    exposure : int
        Index of the exposure, from 0 in input order.
    """

    scope: ClassVar[str] = "exposure"
    exposure: int


@dataclass(frozen=True, slots=True, order=True)
class FrameUnit:
    """One output frame.

    Parameters
    ----------
    name : str
        ``"separate"``, ``"final"``, or that of a frame that a plugin adds.
    """

    scope: ClassVar[str] = "frame"
    name: str


@dataclass(frozen=True, slots=True, order=True)
class RunUnit:
    """The whole run."""

    scope: ClassVar[str] = "run"


#: The whole run.
RUN = RunUnit()

#: Any of them.
Unit = ChipUnit | ExposureUnit | FrameUnit | RunUnit


def holds(outer: Unit, inner: Unit) -> bool:
    """Whether a unit is the other one, or a part of it: a run holds all, an exposure its chips.

    Parameters
    ----------
    outer, inner : Unit
        Two units: the run, an exposure or a chip.

    Returns
    -------
    holds : bool
        True also where they are the same.
    """
    if isinstance(outer, RunUnit) or outer == inner:
        return True
    return (
        isinstance(outer, ExposureUnit) and isinstance(inner, ChipUnit) and inner.exposure == outer.exposure
    )
