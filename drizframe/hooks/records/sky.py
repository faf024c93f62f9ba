"""Sky methods, and statistics of sky pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

from drizframe.errors import PluginError
from drizframe.hooks.guard import number_of, pair_of
from drizframe.hooks.records.base import Component, one_by_one, warn_user
from drizframe.hooks.records.fields import check_fields, text, whole
from drizframe.hooks.records.options import named
from drizframe.hooks.records.signatures import Calls
from drizframe.model import SkyValue

if TYPE_CHECKING:
    from drizframe.model import Chip, Exposure

__all__ = ["SkyChip", "SkyMethod", "SkyOptions", "SkyStatistic", "StatisticOptions"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SkyChip:
    """One chip as a `SkyMethod` sees it.

    Parameters
    ----------
    key : hashable
        Identifies the chip.
    exposure : int
        Index of its exposure.
    name : str
        For messages.
    conversion : float
        Surface brightness = `conversion` × value in the unit of the image.
    pixels : callable
        ``pixels(region=None) -> ndarray (n,) float32``: the usable finite values in row order, of the whole chip or
        of a boolean region (ny, nx) or anything that `numpy.asarray` turns into one.
    of_exposure : Exposure or None
        The exposure, with its primary header (`primary`).
    of_chip : Chip or None
        The chip, with the header of its image (`header`).
    """

    key: Any
    exposure: int
    name: str
    conversion: float
    pixels: Callable[..., Any]
    of_exposure: Exposure | None = None
    of_chip: Chip | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkyOptions:
    """Options of a `SkyMethod`, and what the engine does for it.

    Parameters
    ----------
    map : callable
        ``map(function, items) -> list``: the function of every item, in order; the engine's runs in parallel.
    warn : callable
        ``warn(message)``: tells the user; the engine's writes to the log as well.
    plugin : pydantic.BaseModel or None
        Values of the record's `options_model`; None if it has none.
    """

    map: Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]] = field(default=one_by_one)
    warn: Callable[[str], None] = field(default=warn_user)
    plugin: Any = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SkyMethod(Component):
    """Sky of every chip.

    ``reference(chips, statistic, *, overlaps, options) -> {key: SkyValue}``: `chips` a sequence of `SkyChip`;
    ``statistic(values)
    -> (value, n)`` with NaN, 0 where there is not enough data; `overlaps` a callable that gives the list of
    `Overlap`.  Pixels are in native byte order and read-only.

    Parameters
    ----------
    minimum : int
        Exposures needed; with fewer the step falls back, with a warning, to `fallback`.
    fallback : str
        Name of another sky method.
    """

    family: ClassVar[str] = "sky method"
    CALLS: ClassVar[Calls] = {"reference": "chips, statistic, *, overlaps, options"}

    minimum: int = 1
    fallback: str = ""

    def _check_types(self) -> None:
        Component._check_types(self)  # noqa: SLF001  (zero-argument super() fails in a dataclass with slots)
        check_fields(self.label, self, minimum=whole(0), fallback=text)

    def checked(self, answer: Any, arguments: Sequence[Any]) -> dict[Any, Any]:
        """Return the sky of every chip; refuse an answer that lacks a chip or holds no number."""
        found = {}
        for chip in arguments[0]:
            value = answer.get(chip.key) if isinstance(answer, Mapping) else None
            if not isinstance(value, SkyValue) or not _finite(value):
                msg = f"Sky method {self.name!r} gave {value!r} for {chip.name}; a SkyValue with finite numbers is wanted."
                raise PluginError(msg, self)
            found[chip.key] = value
        return found


def _finite(value: SkyValue) -> bool:
    """Whether both values of a sky are finite real numbers, as far as they are given."""
    given: list[Any] = [value.level] if value.subtracted is None else [value.level, value.subtracted]
    return all(
        isinstance(v, Real) and math.isfinite(v) for v in given
    )  # NumPy's scalars are registered there


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticOptions:
    """Options of a `SkyStatistic`.

    Parameters
    ----------
    lower, upper : float or None
        Limits of usable values, in the unit of the image.
    nclip : int
        Clipping iterations.
    lsigma, usigma : float
        Lower and upper clip in sigma.
    binwidth : float
        Width of a histogram bin in sigma (mode).
    plugin : pydantic.BaseModel or None
        Values of the record's `options_model`; None if it has none.
    """

    lower: float | None = None
    upper: float | None = None
    nclip: int = named("skyclip", 5)
    lsigma: float = 4.0
    usigma: float = 4.0
    binwidth: float = named("skywidth", 0.3)
    plugin: Any = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SkyStatistic(Component):
    """A statistic of sky pixels.

    ``reference(values, options) -> (value, n)``: `values` (n,) float32, finite, in row order, `options` a
    `StatisticOptions`; NaN and 0 where there is not enough data.  `values` is in native byte order, read-only, and
    may have strides; `value` is a real number, `n` a whole one.
    """

    family: ClassVar[str] = "sky statistic"
    CALLS: ClassVar[Calls] = {"reference": "values, options"}

    def checked(self, answer: Any, arguments: Sequence[Any]) -> tuple[float, int]:
        """Return value and number of pixels."""
        del arguments
        value, count = pair_of(self, answer, "a value and the number of pixels")
        level = number_of(self, value, "a value, or NaN where there is not enough data", nan=True)
        return level, int(number_of(self, count, "the number of pixels as second result"))
