"""Step 1: a mask of the pixels that lie far below the sky on every exposure of a detector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from drizframe._fast import Backend
from drizframe.errors import InputError, MaskWarning
from drizframe.headers.signature import DetectorSignature, detector_signature
from drizframe.hooks import Job, Step, hookimpl
from drizframe.model import ChipUnit, Plane, PlaneKey
from drizframe.pixels.statistics import image_statistics, order_of_one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drizframe.config import Parameters
    from drizframe.model import Exposure

__all__ = ["STATIC_MASK", "low_pixels"]

#: Clips, sigmas and bin width (in sigma) of the statistics.
CLIPS, SIGMA, BINWIDTH = 3, 3.0, 0.1


class LowPixels(NamedTuple):
    """The pixels of a chip below the limit.

    Parameters
    ----------
    indices : ndarray of int64, shape (n,)
        Their positions in the flattened image.
    problem : str
        Why there is no limit; blank if there is one.
    """

    indices: np.ndarray[Any, np.dtype[np.int64]]
    problem: str = ""


def low_pixels(image: np.ndarray[Any, Any], sigma: float, backend: Backend = "auto") -> LowPixels:
    """Find the pixels more than `sigma` standard deviations below the mode.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Science image as it was read: sky not subtracted, flagged pixels included (trap 04-5).
    sigma : float
        Depth of the limit below the mode, in standard deviations after three clips at 3 sigma.
    backend : str
        Which loops to use.

    Returns
    -------
    LowPixels
        NaN is never low.  An image that does not vary, or holds no finite value, has no limit.

    Notes
    -----
    The documentation speaks of the median; the numbers users know come from the mode (trap 04-4).  A mode
    that was interpolated makes the comparison one of float64, any other one of float32.
    """
    nothing = np.empty(0, dtype=np.int64)
    try:
        found = image_statistics(
            image, nclip=CLIPS, lsig=SIGMA, usig=SIGMA, binwidth=BINWIDTH, want=("mode",), backend=backend
        )
    except InputError as error:
        return LowPixels(nothing, str(error))
    if found.nbins < 2 or found.mode is None:
        return LowPixels(nothing, f"its values do not vary (standard deviation {found.stddev:g})")
    limit = found.mode - sigma * found.stddev
    return LowPixels(np.flatnonzero(image < limit))


def _groups(
    exposures: Sequence[Exposure], units: Sequence[ChipUnit]
) -> dict[DetectorSignature, list[ChipUnit]]:
    """Return the chips of the run by the detector pixels that they show."""
    groups: dict[DetectorSignature, list[ChipUnit]] = {}
    for unit in units:
        exposure = exposures[unit.exposure]
        groups.setdefault(detector_signature(exposure, exposure.chips[unit.chip]), []).append(unit)
    return groups


def _physical(exposures: Sequence[Exposure], unit: ChipUnit) -> bool:
    """Whether a chip is in units of flux or surface brightness, whose numbers may be of any size."""
    return exposures[unit.exposure].chips[unit.chip].physical


def run(job: Job) -> Mapping[Any, Any]:
    """Make one mask for each signature; the chips that have it share the array."""
    units = list(job.units("chip"))
    sigma, backend = job.parameters.static_sig, job.backend

    def of_chip(unit: ChipUnit) -> LowPixels:
        image = job.read("sci", unit)
        if _physical(job.exposures, unit):
            image = image * np.float32(order_of_one(image))
        return low_pixels(image, sigma, backend)

    found = dict(zip(units, job.map(of_chip, units), strict=True))
    planes: dict[PlaneKey, np.ndarray[Any, np.dtype[np.uint8]]] = {}
    for signature, members in _groups(job.exposures, units).items():
        mask = np.ones(signature.shape, dtype=np.uint8)
        for unit in members:
            low = found[unit]
            mask.ravel()[low.indices] = 0
            if low.problem:
                where = f"Chip {signature.chip} of {job.exposures[unit.exposure].name}"
                job.note(f"{where} adds nothing to the static mask: {low.problem}.", warn=MaskWarning)
        mask.flags.writeable = False
        planes.update({PlaneKey("mask.static", unit): mask for unit in members})
    return planes


def enabled(parameters: Parameters, exposures: Sequence[Exposure]) -> bool:
    """Whether the user wants static masks."""
    return bool(parameters.static)


STATIC_MASK = Step(
    name="static_mask",
    summary="Mask the pixels that lie far below the sky on any exposure of a detector.",
    parameters=("static*",),
    needs=("sci",),
    makes=(Plane(name="mask.static", meaning="static mask, 1 = good", on="chip", dtype="uint8", stays=True),),
    over="run",
    run=run,
    work=5.0,
    enabled=enabled,
)


@hookimpl
def drizframe_step_static_mask() -> Step:
    """Return the stock step."""
    return STATIC_MASK
