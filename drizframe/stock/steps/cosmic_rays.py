"""Cosmic rays of each chip, and chips with the cosmic rays replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.config.bits import good_mask
from drizframe.errors import ParameterError, RunError
from drizframe.hooks import CosmicRayOptions, Need, Step, hookimpl, options_from
from drizframe.model import Plane
from drizframe.stock.steps.derivative import DERIVATIVE
from drizframe.stock.steps.noise_level import noise_from_error, noise_from_level

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.hooks import ChipJob
    from drizframe.model import Chip, Exposure

__all__ = ["COSMIC_RAYS", "cleaned", "cosmic_ray_options", "noise_model"]

Image = np.ndarray[Any, np.dtype[np.float32]]
Mask = np.ndarray[Any, np.dtype[np.uint8]]

_LARGEST_FLAG = np.iinfo(np.uint16).max


def cosmic_ray_options(parameters: Parameters, chip: Chip, plugin: Any = None) -> CosmicRayOptions:
    """Return what the parameters and the chip say to a detector."""
    return options_from(
        CosmicRayOptions, parameters, "driz_cr_", cte_direction=chip.cte_direction, plugin=plugin
    )


def noise_model(model: Image, *, gain: float, sky: float, readnoise: float) -> Image:
    """Return the expected noise of each pixel.

    Parameters
    ----------
    model : ndarray of float32, shape (ny, nx)
        Expected image, electrons.
    gain : float
        Effective gain g of the chip.
    sky : float
        Sky level, electrons.
    readnoise : float
        Read noise, electrons.

    Returns
    -------
    ndarray of float32, shape (ny, nx)
        ``√(g·|model + sky| + readnoise²) / g``, in float32.

    Notes
    -----
    A blotted image holds the sky already, so the sky counts twice; and the formula is one for counts, so the
    noise comes out too small where g is not 1.  Both are kept: the masks of many years rest on them.
    """
    g = np.float32(gain)
    with np.errstate(invalid="ignore", over="ignore"):  # not a number stays so, and is flagged
        noise: Image = np.sqrt(g * np.abs(model + np.float32(sky)) + np.float32(readnoise**2))
        return noise / g


def cleaned(
    sci: Image, blot: Image, mask: Mask, dq: np.ndarray[Any, Any] | None, *, conversion: float, crbit: int
) -> tuple[Image, np.ndarray[Any, np.dtype[np.uint16]]]:
    """Replace cosmic rays, and pixels with any other flag, by the blotted median.

    Parameters
    ----------
    sci, blot : ndarray of float32, shape (ny, nx)
        The chip and the blotted median, electrons, both with sky.
    mask : ndarray of uint8, shape (ny, nx)
        1 good, 0 cosmic ray.
    dq : ndarray of integers, shape (ny, nx), or None
        Flags of the chip; `crbit` alone does not count.
    conversion : float
        Electrons per native unit.
    crbit : int
        Flag to write where a pixel was replaced.

    Returns
    -------
    image : ndarray of float32, shape (ny, nx)
        Native unit.
    flags : ndarray of uint16, shape (ny, nx)
        `crbit` where a pixel was replaced, else 0.

    Raises
    ------
    ParameterError
        If `crbit` does not fit into 16 bits.
    """
    if not 0 <= crbit <= _LARGEST_FLAG:
        msg = f"crbit is {crbit!r}; flags of a cleaned exposure have 16 bits. Give at most 32768."
        raise ParameterError(msg)
    good = mask.astype(bool)
    if dq is not None:
        good &= good_mask(dq, crbit).astype(bool)
    image = np.where(good, sci, blot) / np.float32(conversion)
    return image.astype(np.float32, copy=False), np.where(good, 0, crbit).astype(np.uint16)


def _planes(job: ChipJob, needs_blot: bool) -> tuple[Image, Image | None]:
    """Return the chip and the blotted median in electrons; None where there is none and none is needed."""
    factor = np.float32(job.chip.conversion)
    blot = job.read("blot")
    if blot is None and needs_blot:
        msg = (
            f"Cosmic rays of {job.exposure.name!r}: the detector compares with a blotted median, and "
            f"there is none. "
            f"Switch median and blot on, or driz_cr off."
        )
        raise RunError(msg)
    sci: Image = np.asarray(job.read("sci"), dtype=np.float32) * factor
    return sci, None if blot is None else np.asarray(blot, dtype=np.float32) * factor


def _noise(job: ChipJob, model: Image, *, blotted: bool) -> Image:
    """Return the noise of each pixel in electrons (of images in flux or surface brightness: unit times seconds)."""
    chip = job.chip
    if not chip.physical:
        sky = job.read("sky")
        level = 0.0 if sky is None or not blotted else sky.level * chip.conversion
        return noise_model(model, gain=chip.effective_gain, sky=level, readnoise=chip.readnoise)
    level = float(job.read("noise.level") or 0.0)
    error = job.read("err")
    if error is None:
        return noise_from_level(model, level * chip.conversion)
    return noise_from_error(error, level) * np.float32(chip.conversion)


def _depth(job: ChipJob, detector: Any) -> np.ndarray[Any, np.dtype[np.int32]] | None:
    """Return the number of exposures behind each pixel of the chip, if the detector asks for it.

    It is that of the nearest pixel of the separate frame.  Without single images it is the number of exposures of the
    run if that is 1; otherwise it is not known, and None.
    """
    if "needs_depth" not in detector.traits:
        return None
    if len(job.exposures) == 1:
        return np.ones(job.chip.shape, dtype=np.int32)
    frame = job.read("depth")
    if frame is None:
        return None
    nearest: Any = job.component("interpolator", "nearest")
    return job.blot(frame, job.unit, interpolator=nearest, factor=1.0).astype(np.int32)


def _run(job: ChipJob) -> Mapping[str, Any]:
    parameters, chip = job.parameters, job.chip
    detector: Any = job.component("cosmic-ray detector", parameters.cr_detector)
    sci, blot = _planes(job, "needs_blot" in detector.traits)
    noise = _noise(job, sci if blot is None else blot, blotted=blot is not None)
    slope = None if blot is None else job.call(DERIVATIVE)(blot)
    dq = job.read("dq")
    options = cosmic_ray_options(parameters, chip, job.plugin_options(detector))
    codes = job.call(detector)(sci, blot, slope, noise, _depth(job, detector), dq, options)
    mask = (codes == 0).astype(np.uint8)
    found = mask.size - int(mask.sum())
    job.note(f"{job.exposure.name} chip {chip.extver}: {found} pixels flagged as cosmic rays")
    if not parameters.driz_cr_corr:
        return {"mask.cr": mask}
    if blot is None:
        msg = (
            f"driz_cr_corr replaces cosmic rays by the blotted median, but none was made for "
            f"{job.exposure.name!r}. "
            f"Switch driz_cr_corr off, or median and blot on."
        )
        raise RunError(msg)
    image, flags = cleaned(sci, blot, mask, dq, conversion=chip.conversion, crbit=parameters.crbit)
    return {"mask.cr": mask, "crclean": image, "crclean.dq": flags}


def _enabled(parameters: Parameters, exposures: Sequence[Exposure]) -> bool:
    """Whether cosmic rays are looked for; a single exposure has the switch off if the detector compares."""
    return bool(parameters.driz_cr)


COSMIC_RAYS = Step(
    name="cosmic_rays",
    summary="Find cosmic rays by comparing each chip with the blotted median.",
    parameters=("driz_cr*", "cr_detector"),
    needs=(
        Need("sci"),
        Need("depth", of="under", optional=True),
        *(Need(name, optional=True) for name in ("blot", "sky", "dq", "err", "noise.level")),
    ),
    makes=(
        Plane(name="mask.cr", meaning="cosmic-ray mask, 1 = good", on="chip", dtype="uint8", stays=True),
        Plane(
            name="crclean",
            meaning="chip with cosmic rays replaced by the blot, unit of the chip",
            on="chip",
            dtype="float32",
        ),
        Plane(name="crclean.dq", meaning="flags that go with it", on="chip", dtype="uint16"),
    ),
    over="chip",
    run=_run,
    enabled=_enabled,
)


@hookimpl
def drizframe_step_cosmic_rays() -> Step:
    """Return the stock cosmic-ray step."""
    return COSMIC_RAYS
