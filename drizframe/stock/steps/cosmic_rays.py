"""Cosmic rays of each chip, and chips with the cosmic rays replaced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.config.bits import good_mask
from drizframe.errors import ParameterError, RunError
from drizframe.hooks import CosmicRayOptions, Need, Step, hookimpl, options_from
from drizframe.model import Plane, Window
from drizframe.stock.steps._pieces import ROWS, pieces
from drizframe.stock.steps.derivative import DERIVATIVE
from drizframe.stock.steps.noise_level import noise_from_error, noise_from_level

if TYPE_CHECKING:
    from drizframe.config import Parameters
    from drizframe.hooks import Asked, ChipJob
    from drizframe.model import Chip, Exposure

__all__ = ["COSMIC_RAYS", "cleaned", "cosmic_ray_options", "noise_model"]

Image = np.ndarray[Any, np.dtype[np.float32]]
Mask = np.ndarray[Any, np.dtype[np.uint8]]

#: Rows beside those that are wanted on which the derivative of the blotted median depends, or where its edges are those of the piece.
EDGE = 2
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


@dataclass(frozen=True, slots=True, eq=False)
class _Chip:
    """What the pieces of a chip share."""

    job: ChipJob
    detector: Any
    options: CosmicRayOptions
    halo: int | None

    def rows(self) -> Iterator[Window]:
        """Yield the rows that the detector is called for: all at once if it does not say how far it looks."""
        yield from [Window(0, self.shape[0], 0, self.shape[1])] if self.halo is None else pieces(self.shape)

    @property
    def shape(self) -> tuple[int, int]:
        return self.job.chip.shape

    def electrons(self, name: str, rows: Window) -> Image | None:
        """Return rows of the chip or of the blotted median, in electrons; None where there is none."""
        image = self.job.read(name, window=rows)
        return (
            None
            if image is None
            else np.asarray(image, dtype=np.float32) * np.float32(self.job.chip.conversion)
        )

    def codes(self, rows: Window) -> tuple[Any, Image, Image | None]:
        """Return the codes of some rows, and their pixels of the chip and of the blotted median, in electrons."""
        job = self.job
        near = rows.grown(self.halo or 0, within=self.shape)
        wide = near.grown(EDGE, within=self.shape)
        inner = near.relative_to(wide).slices
        sci, blot, slope = self.electrons("sci", near), self.electrons("blot", wide), None
        if blot is None and "needs_blot" in self.detector.traits:
            msg = (
                f"Cosmic rays of {job.exposure.name!r}: the detector compares with a blotted median, and "
                f"there is none. "
                f"Switch median and blot on, or driz_cr off."
            )
            raise RunError(msg)
        assert sci is not None  # noqa: S101  (a run reads no chip without an image)
        if blot is not None:
            slope = job.call(DERIVATIVE)(blot)[inner]
            blot = blot[inner]
        noise = _noise(job, sci if blot is None else blot, near, blotted=blot is not None)
        found = job.call(self.detector)(
            sci,
            blot,
            slope,
            noise,
            _depth(job, self.detector, near),
            job.read("dq", window=near),
            self.options,
        )
        cut = rows.relative_to(near).slices
        return found[cut], sci[cut], None if blot is None else blot[cut]


def _noise(job: ChipJob, model: Image, rows: Window, *, blotted: bool) -> Image:
    """Return the noise of each pixel in electrons (of images in flux or surface brightness: unit times seconds)."""
    chip = job.chip
    if not chip.physical:
        sky = job.read("sky")
        level = 0.0 if sky is None or not blotted else sky.level * chip.conversion
        return noise_model(model, gain=chip.effective_gain, sky=level, readnoise=chip.readnoise)
    level = float(job.read("noise.level") or 0.0)
    error = job.read("err", window=rows)
    if error is None:
        return noise_from_level(model, level * chip.conversion)
    return noise_from_error(error, level) * np.float32(chip.conversion)


def _depth(job: ChipJob, detector: Any, rows: Window) -> np.ndarray[Any, np.dtype[np.int32]] | None:
    """Return the number of exposures behind each pixel of some rows, if the detector asks for it.

    It is that of the nearest pixel of the separate frame.  Without single images it is the number of exposures of the
    run if that is 1; otherwise it is not known, and None.
    """
    if "needs_depth" not in detector.traits:
        return None
    if len(job.exposures) == 1:
        return np.ones(rows.shape, dtype=np.int32)
    if job.read("depth", window=Window(0, 1, 0, 1)) is None:
        return None
    nearest: Any = job.component("interpolator", "nearest")
    return job.blot(
        lambda window: job.read("depth", window=window), job.unit, interpolator=nearest, factor=1.0,
        shape=job.frame("separate").shape, rows=(rows.y0, rows.y1),
    ).astype(np.int32)  # fmt: skip


def _run(job: ChipJob) -> Mapping[str, Any]:
    parameters, chip = job.parameters, job.chip
    detector: Any = job.component("cosmic-ray detector", parameters.cr_detector)
    options = cosmic_ray_options(parameters, chip, job.plugin_options(detector))
    parts = _Chip(job, detector, options, detector.border(options))
    mask = np.empty(chip.shape, dtype=np.uint8)
    planes: dict[str, Any] = {"mask.cr": mask}
    if parameters.driz_cr_corr:
        planes["crclean"] = np.empty(chip.shape, dtype=np.float32)
        planes["crclean.dq"] = np.empty(chip.shape, dtype=np.uint16)
    for rows in parts.rows():
        codes, sci, blot = parts.codes(rows)
        mask[rows.slices] = codes == 0
        if not parameters.driz_cr_corr:
            continue
        if blot is None:
            msg = (
                f"driz_cr_corr replaces cosmic rays by the blotted median, but none was made for "
                f"{job.exposure.name!r}. "
                f"Switch driz_cr_corr off, or median and blot on."
            )
            raise RunError(msg)
        planes["crclean"][rows.slices], planes["crclean.dq"][rows.slices] = cleaned(
            sci,
            blot,
            mask[rows.slices],
            job.read("dq", window=rows),
            conversion=chip.conversion,
            crbit=parameters.crbit,
        )
    found = mask.size - int(mask.sum())
    job.note(f"{job.exposure.name} chip {chip.extver}: {found} pixels flagged as cosmic rays")
    return planes


def _work(asked: Asked, shape: tuple[int, int]) -> float:
    """Return the bytes that some rows, with the halo of the detector, take beside what is read."""
    detector: Any = asked.registry.get("cosmic-ray detector", asked.parameters.cr_detector)
    chip = asked.exposures[0].chips[0]
    halo = detector.border(cosmic_ray_options(asked.parameters, chip, asked.options_of(detector)))
    rows = shape[0] if halo is None else min(shape[0], ROWS + 2 * (halo + EDGE))
    return 36.0 * rows * shape[1]


def _cleans(parameters: Parameters) -> bool:
    return parameters.driz_cr_corr


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
            made=_cleans,
        ),
        Plane(name="crclean.dq", meaning="flags that go with it", on="chip", dtype="uint16", made=_cleans),
    ),
    over="chip",
    run=_run,
    rows=ROWS,
    work=_work,
    enabled=_enabled,
)


@hookimpl
def drizframe_step_cosmic_rays() -> Step:
    """Return the stock cosmic-ray step."""
    return COSMIC_RAYS
