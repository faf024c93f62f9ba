"""The noise of images in units of flux or surface brightness, which have no electrons to compute it from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.config.bits import good_mask
from drizframe.errors import InputWarning
from drizframe.hooks import Need, Step, hookimpl
from drizframe.model import Plane

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.hooks import ChipJob
    from drizframe.model import Exposure

__all__ = ["NOISE_LEVEL", "noise_from_error", "noise_from_level", "scatter"]

Image = np.ndarray[Any, np.dtype[np.float32]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

#: Median absolute deviation to standard deviation of normal noise.
_NORMAL = 1.4826


def scatter(image: Image, good: Bools) -> float:
    """Return the standard deviation of the noise of an image: by the differences of neighbours in a row.

    Parameters
    ----------
    image : ndarray of float32, shape (ny, nx)
        Image with sources; few pixels are steep.
    good : ndarray of bool, shape (ny, nx)
        Pixels to use.

    Returns
    -------
    float
        From the median of the absolute differences; where that is 0 (images without noise) from their mean square.
    """
    both = good[:, 1:] & good[:, :-1]
    steps = np.abs(np.diff(image.astype(np.float64), axis=1)[both])
    if not steps.size:
        return 0.0
    usual = _NORMAL * float(np.median(steps))
    return (usual if usual > 0 else float(np.sqrt(np.mean(np.square(steps))))) / math.sqrt(2.0)


def noise_from_error(error: np.ndarray[Any, Any], level: float) -> Image:
    """Return the noise of each pixel by the error image; `level` where that tells none."""
    with np.errstate(invalid="ignore"):
        known = np.isfinite(error) & (np.asarray(error) > 0)
    return np.where(known, error, level).astype(np.float32)


def noise_from_level(model: Image, level: float) -> Image:
    """Return the most noise that an image can have whose background has the noise `level`.

    Parameters
    ----------
    model : ndarray of float32, shape (ny, nx)
        Expected image.
    level : float
        Standard deviation of the background, in the same unit.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ``√(level² + level·|model - median|)``.

    Notes
    -----
    An electron is worth at most as much as the noise of the background, which comes from one electron at least; so the
    Poisson variance of a source S is at most ``level·S``.  Cosmic rays on sources are missed rather than sources cut.
    """
    finite = model[np.isfinite(model)]
    background = np.float32(np.median(finite) if finite.size else 0.0)
    variance = level**2 + level * np.abs(model - background).astype(np.float64)
    noise: Image = np.sqrt(variance).astype(np.float32)
    return noise


def _run(job: ChipJob) -> Mapping[str, Any]:
    """Measure the noise of the background of a chip in its own unit."""
    chip = job.chip
    if not chip.physical:
        return {}
    image, error, dq = (job.read(name) for name in ("sci", "err", "dq"))
    good = np.isfinite(image)
    if dq is not None:
        good &= good_mask(dq, job.parameters.driz_sep_bits).astype(bool)
    if error is not None:
        known = good & np.isfinite(error) & (error > 0)
        if known.any():
            return {"noise.level": float(np.median(error[known]))}
    job.note(
        f"{job.exposure.name}, chip {chip.extver}: the image is in {chip.bunit!r} and has no error image (ERR); its noise is "
        "taken from the scatter of neighbouring pixels, and that of sources as high as it can be, so cosmic rays on sources "
        "may be missed.",
        warn=InputWarning,
    )
    return {"noise.level": scatter(image, good)}


def _enabled(parameters: Parameters, exposures: Sequence[Exposure]) -> bool:
    """Whether noise is wanted that cannot be computed from electrons."""
    wanted = parameters.driz_cr or (parameters.median and len(exposures) > 1)
    return bool(wanted) and any(c.physical for e in exposures for c in e.chips)


NOISE_LEVEL = Step(
    name="noise_level",
    summary="Measure the noise of images in units of flux or surface brightness.",
    parameters=("driz_sep_bits",),
    needs=(Need("sci"), Need("err", optional=True), Need("dq", optional=True)),
    makes=(
        Plane(
            name="noise.level",
            meaning="noise of the background of images in flux or surface brightness, unit of the chip",
            on="chip",
            kind="value",
            value=float,
        ),
    ),
    over="chip",
    run=_run,
    enabled=_enabled,
)


@hookimpl
def drizframe_extra_steps() -> Iterator[Step]:
    """Yield the step."""
    yield NOISE_LEVEL
