"""What the stock parameters of each family of components amount to, parsed and checked.

A component is called with one of these records as `options`; `plugin` holds the validated section of the
plugin that provides it (None if it has none).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from drizframe.errors import DrizframeWarning

__all__ = [
    "CombineOptions",
    "CosmicRayOptions",
    "InstrumentOptions",
    "SkyOptions",
    "StatisticOptions",
    "WeightOptions",
]


def one_by_one(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """Return the function of every item, in order."""
    return [function(item) for item in items]


def warn_user(message: str) -> None:
    """Issue a `DrizframeWarning`."""
    warnings.warn(message, DrizframeWarning, stacklevel=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class CombineOptions:
    """Options of a `Combiner`.

    Parameters
    ----------
    nlow, nhigh : int
        Number of lowest and highest good values to leave out.
    lthresh, hthresh : float or None
        Values below `lthresh` or not below `hthresh` are bad; electrons per second.
    nsigma : tuple of float
        The two sigmas of minmed.
    grow : int
        Growth of minmed in pixels.
    """

    nlow: int = 0
    nhigh: int = 0
    lthresh: float | None = None
    hthresh: float | None = None
    nsigma: tuple[float, float] = (4.0, 3.0)
    grow: int = 1
    plugin: Any = None


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
    """

    lower: float | None = None
    upper: float | None = None
    nclip: int = 5
    lsigma: float = 4.0
    usigma: float = 4.0
    binwidth: float = 0.3
    plugin: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkyOptions:
    """Options of a `SkyMethod`, and what the engine does for it.

    Parameters
    ----------
    map : callable
        ``map(function, items) -> list``: the function of every item, in order; the engine's runs in parallel.
    warn : callable
        ``warn(message)``: tells the user; the engine's writes to the log as well.
    """

    map: Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]] = field(default=one_by_one)
    warn: Callable[[str], None] = field(default=warn_user)
    plugin: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightOptions:
    """Options of a `Weighting`.

    Parameters
    ----------
    wt_scl : str or float
        ``"exptime"``, ``"expsq"`` or a number.
    flat : ndarray or None
        Flat field of the chip on the same pixels, for IVM; None if it was not found.
    ivm : ndarray or None
        The user's inverse-variance map of the chip, for IVM.
    warn : callable
        ``warn(message)``: tells the user; the engine's names the exposure and writes to the log as well.
    """

    wt_scl: str | float = "exptime"
    flat: Any = None
    ivm: Any = None
    warn: Callable[[str], None] = field(default=warn_user)
    plugin: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CosmicRayOptions:
    """Options of a `CosmicRayDetector`.

    Parameters
    ----------
    snr : tuple of float
        The two signal-to-noise limits.
    scale : tuple of float
        The two factors of the derivative.
    grow : int
        Side of the box by which flags grow; 1 grows nothing.
    ctegrow : int
        Length of the charge-transfer tail in pixels.
    cte_direction : int
        +1: tails towards lower y; -1: towards higher y; 0: none.
    """

    snr: tuple[float, float] = (3.5, 3.0)
    scale: tuple[float, float] = (1.2, 0.7)
    grow: int = 1
    ctegrow: int = 0
    cte_direction: int = 0
    plugin: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentOptions:
    """Overrides that an `Instrument` honours while it reads headers.

    Parameters
    ----------
    gain, readnoise, exptime : float or None
        Values; for gain and read noise the mean of several is formed before it comes here.
    gain_keyword, readnoise_keyword, exptime_keyword : str
        Comma-separated header keywords (mean of the non-zero values); blank: the instrument's own.
    """

    gain: float | None = None
    readnoise: float | None = None
    exptime: float | None = None
    gain_keyword: str = ""
    readnoise_keyword: str = ""
    exptime_keyword: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
