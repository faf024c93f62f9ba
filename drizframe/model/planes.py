"""Planes: the named images and values that flow through a run.

A *plane* is an image (or a value) of a chip, an exposure, a frame or the run.  The step that makes one declares it; from
these records the engine derives the order of the steps, what shape and type an answer must have, and where it is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from drizframe.errors import RecordError
from drizframe.model.layers import Extension, as_extension
from drizframe.model.units import RUN, Unit

__all__ = ["INPUTS", "Plane", "PlaneKey"]

_NAME = re.compile(r"^[A-Za-z_][\w.+-]*$")
_KINDS = ("image", "cube", "value")
_ON = ("chip", "exposure", "frame", "run")
#: Types that images may be declared to have; "integer" and "real" stand for all of a kind.
_DTYPES = ("float32", "float64", "uint8", "uint16", "int16", "int32", "integer", "real")
_INTEGERS = ("uint8", "uint16", "int16", "int32", "integer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """A plane, as the step that makes it declares it.

    Parameters
    ----------
    name : str
        ``mask.cr``, ``median``; a plugin puts its own name in front: ``mine.columns``.
    meaning : str
        What it holds, with its unit.
    on : {"chip", "exposure", "frame", "run"}
        What each of them belongs to.  Images of a chip have its shape, those of an exposure that of its footprint on the
        separate frame, those of a frame that of the frame.
    grid : str
        For a plane on a frame: which (``"separate"``, ``"final"``).
    kind : {"image", "cube", "value"}
        An image; one with further axes in front; or any value, which is handed on as it is.
    dtype : str
        Type of the numbers, into which images are converted; integers that do not fit, and real numbers for integers, are
        refused.  ``"integer"``: any integers.  ``"real"``: any real numbers.
    value : type or None
        For a value: what it must be.
    product : str or Extension
        The extension of a product that holds it: its name, or a record that tells its unit and more too; blank: it is no
        part of the mosaic.
    stays : bool
        Whether it is kept when no later step needs it, for `Result.planes`; what has a `product` is kept for the mosaic.
    made : callable or None
        ``made(parameters) -> bool``: whether a run makes it at all; None: always.  Memory is planned by that.
    """

    name: str
    meaning: str
    on: Literal["chip", "exposure", "frame", "run"]
    grid: str = ""
    kind: Literal["image", "cube", "value"] = "image"
    dtype: str = "real"
    value: type | tuple[type, ...] | None = None
    product: str | Extension = ""
    stays: bool = False
    made: Callable[[Any], bool] | None = None

    def __post_init__(self) -> None:
        """Refuse a plane that could not be kept."""
        label = f"Plane {self.name!r}"
        if not isinstance(self.name, str) or not _NAME.match(self.name):
            msg = f"{label}: a name has letters, digits and _ . + -, and begins with a letter."
            raise RecordError(msg)
        if not isinstance(self.meaning, str) or not self.meaning:
            msg = f"{label} has no meaning. Say in a few words what it holds, and in which unit."
            raise RecordError(msg)
        for field, allowed in (("on", _ON), ("kind", _KINDS), ("dtype", _DTYPES)):
            if getattr(self, field) not in allowed:
                msg = f"{label} has {field} = {getattr(self, field)!r}; choose from {', '.join(allowed)}."
                raise RecordError(msg)
        made: Any = self.made
        if made is not None and not callable(made):
            msg = f"{label} has made = {self.made!r}; give a function made(parameters), or None."
            raise RecordError(msg)
        if (self.on == "frame") != bool(self.grid):
            msg = f"{label} has on = {self.on!r} and grid = {self.grid!r}; a plane on a frame names its grid, and no other does."
            raise RecordError(msg)
        if self.on == "run" and self.kind != "value":
            msg = f"{label}: the run as a whole has no pixels; give kind='value', or on='frame' with a grid."
            raise RecordError(msg)
        if self.extension is not None and (self.grid != "final" or self.kind == "value"):
            msg = f"{label} is to be extension {self.extension.name!r} of the product, which has images on the final frame: grid='final'."
            raise RecordError(msg)

        if self.extension is not None and self.extension.seconds and self.dtype in _INTEGERS:
            msg = (
                f"{label} holds {self.dtype}, and its extension {self.extension.name!r} has seconds = {self.extension.seconds!r}. "
                "Integers are numbers of things or flags, and are not multiplied by the exposure time: give seconds=0, or dtype='float32'."
            )
            raise RecordError(msg)

    def is_made(self, parameters: Any) -> bool:
        """Whether a run with such parameters makes it; an extension of the product that is not wanted is not."""
        extension = self.extension
        if extension is not None and not extension.wanted(parameters):
            return False
        return self.made is None or bool(self.made(parameters))

    @property
    def extension(self) -> Extension | None:
        """What it is called in the product; None if it is no part of it."""
        if isinstance(self.product, Extension):
            return self.product
        return as_extension(self.product, self.meaning) if self.product else None

    def describe(self) -> str:
        """Return where it lies, what it holds, and its type, for tables."""
        where = f"frame {self.grid}" if self.on == "frame" else self.on
        what = "value" if self.kind == "value" else f"{self.kind}, {self.dtype}"
        return f"{where}: {self.meaning} ({what})"


def _input(name: str, meaning: str, dtype: str = "real", *, stays: bool = False) -> Plane:
    return Plane(name=name, meaning=meaning, on="chip", dtype=dtype, stays=stays)


#: Planes that come with the exposures; no step makes them, filters may change them.
INPUTS: tuple[Plane, ...] = (
    _input("sci", "science image in the unit of the chip", "float32"),
    _input("err", "error image in the unit of the chip", "float32"),
    _input("dq", "data-quality flags after `resetbits`", "integer"),
    _input("ivm", "the user's inverse-variance map"),
    _input("flat", "flat field"),
    _input("mask.cr.given", "cosmic-ray mask that was given to the run, 1 = good", "uint8", stays=True),
)


@dataclass(frozen=True, slots=True, order=True)
class PlaneKey:
    """The address of a plane in the store: its name and the unit it belongs to.

    Parameters
    ----------
    name : str
        Name of the plane.
    unit : Unit
        What it belongs to: a chip, an exposure or the run.
    """

    name: str
    unit: Unit = RUN
