"""Weight by exposure time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.errors import ParameterError
from drizframe.hooks import Weighting, WeightOptions, hookimpl

if TYPE_CHECKING:
    from drizframe.model import Chip, SkyValue

__all__ = ["EXP", "exposure_weight"]


def exposure_weight(
    chip: Chip,
    mask: np.ndarray[Any, Any],
    sky: SkyValue | None,
    ratio: float,
    options: WeightOptions,
) -> tuple[np.ndarray[Any, np.dtype[np.float32]], float]:
    """Weight good pixels by exposure time.

    Parameters
    ----------
    chip : Chip
        Gives the exposure time t, seconds.
    mask : ndarray of uint8, shape (ny, nx)
        1 good, 0 bad.
    sky, ratio
        Not used by this weighting.
    options : WeightOptions
        `wt_scl`: ``"exptime"`` for t, ``"expsq"`` for t², a number for t times that number.

    Returns
    -------
    map : ndarray of float32, shape (ny, nx)
        t (``"expsq"``: t²) where the mask is good, else 0.
    scale : float
        The number of `wt_scl`, else 1.

    Raises
    ------
    ParameterError
        If `wt_scl` is another word.
    """
    if isinstance(options.wt_scl, str):
        if options.wt_scl not in {"exptime", "expsq"}:
            msg = f"Weight scale {options.wt_scl!r} is not known. Give 'exptime', 'expsq' or a number."
            raise ParameterError(msg)
        power, scale = (2 if options.wt_scl == "expsq" else 1), 1.0
    else:
        power, scale = 1, float(options.wt_scl)
    weight = np.where(np.asarray(mask) != 0, np.float32(chip.exptime**power), np.float32(0))
    return weight, scale


EXP = Weighting(
    name="EXP",
    summary="Exposure time: good for every instrument, and the default.",
    traits=frozenset({"picklable"}),
    reference=exposure_weight,
)


@hookimpl
def drizframe_weightings() -> Iterator[Weighting]:
    """Yield the weighting of this module."""
    yield EXP
