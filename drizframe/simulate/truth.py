"""A run over simulated exposures, compared with the truth."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter

from drizframe.errors import InputError, ParameterError
from drizframe.simulate.truth_files import RunFiles, Truth, read_run, read_truth
from drizframe.simulate.truth_stars import StarTruth, measure_stars

__all__ = ["RayTruth", "SkyTruth", "StarTruth", "TruthReport", "truth_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkyTruth:
    """Sky of one chip, in electrons of the exposure.

    Parameters
    ----------
    exposure : str
        Root name.
    chip : int
        ``EXTVER``.
    measured, true : float
        Sky levels.
    noise : float
        Standard deviation of an empty pixel: sky, dark and read noise.
    """

    exposure: str
    chip: int
    measured: float
    true: float
    noise: float

    @property
    def error(self) -> float:
        """Measured less true, in units of the noise."""
        return (self.measured - self.true) / self.noise


@dataclass(frozen=True, slots=True, kw_only=True)
class RayTruth:
    """Cosmic rays of one exposure, counted in pixels without other flags (bad, saturated).

    Parameters
    ----------
    exposure : str
        Root name.
    true : int
        Pixels with at least the given number of noise standard deviations in electrons of cosmic rays.
    found : int
        Those of them that were flagged.
    flagged : int
        Pixels that were flagged.
    near : int
        Those of them that lie at or near a pixel with any electrons of cosmic rays.
    """

    exposure: str
    true: int
    found: int
    flagged: int
    near: int

    @property
    def completeness(self) -> float:
        """Found over true; not a number without true ones."""
        return self.found / self.true if self.true else math.nan

    @property
    def purity(self) -> float:
        """Near over flagged; not a number if nothing was flagged."""
        return self.near / self.flagged if self.flagged else math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthReport:
    """A run against the truth.

    Parameters
    ----------
    run : str
        Folder or root of the products.
    significance : float
        Noise standard deviations from which a pixel counts as hit.
    sky : tuple of SkyTruth
        One a chip; empty if the products tell no sky.
    stars : StarTruth or None
        None without a mosaic, or without stars that can be measured.
    rays : tuple of RayTruth
        One an exposure; empty if the run left no masks.
    """

    run: str
    significance: float
    sky: tuple[SkyTruth, ...]
    stars: StarTruth | None
    rays: tuple[RayTruth, ...]

    @property
    def total(self) -> RayTruth:
        """Cosmic rays of all exposures together."""
        sums = [sum(getattr(r, n) for r in self.rays) for n in ("true", "found", "flagged", "near")]
        return RayTruth(exposure="total", true=sums[0], found=sums[1], flagged=sums[2], near=sums[3])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as numbers, text, lists and mappings; what is not a number becomes None."""
        rays = [*self.rays, self.total] if self.rays else []
        return {
            "run": self.run,
            "significance": self.significance,
            "sky": [dataclasses.asdict(s) | {"error": s.error} for s in self.sky],
            "stars": None if self.stars is None else dataclasses.asdict(self.stars),
            "cosmic_rays": [
                dataclasses.asdict(r) | {"completeness": _number(r.completeness), "purity": _number(r.purity)}
                for r in rays
            ],
        }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _sky(run: RunFiles, truth: Truth) -> tuple[SkyTruth, ...]:
    """Compare the sky of every chip that the products tell."""
    found = []
    for index, (name, facts) in enumerate(zip(truth.names, truth.exposures, strict=True)):
        time = float(facts["exptime"])
        unit = time if truth.camera.unit.endswith("/S") else 1.0
        found += [
            SkyTruth(
                exposure=name, chip=k, measured=run.sky[name, k] * unit, true=float(facts["sky"]) * time,
                noise=truth.noise(index),
            )
            for k in range(1, len(facts["chips"]) + 1)
            if (name, k) in run.sky
        ]  # fmt: skip
    return tuple(found)


def _rays(run: RunFiles, truth: Truth, significance: float, near: int) -> tuple[RayTruth, ...]:
    """Count the cosmic rays of every exposure that has masks."""
    found = []
    for index, name in enumerate(truth.names):
        chips = range(1, len(truth.exposures[index]["chips"]) + 1)
        masks = {k: mask for k in chips if (mask := run.mask(name, k)) is not None}
        if not masks:
            continue
        arrays = truth.arrays(index)
        counts = np.zeros(4, dtype=np.int64)
        for k, mask in masks.items():
            flags = [arrays[f] for f in (f"bad{k}", f"saturated{k}") if f in arrays]
            counts += _count(mask, arrays[f"cr{k}"], flags, significance * truth.noise(index), near)
        true, hit, flagged, close = (int(c) for c in counts)
        found.append(RayTruth(exposure=name, true=true, found=hit, flagged=flagged, near=close))
    return tuple(found)


def _count(
    mask: NDArray[np.bool_],
    electrons: NDArray[np.float32],
    flags: Sequence[NDArray[np.bool_]],
    least: float,
    near: int,
) -> NDArray[np.int64]:
    """Return how many pixels of a chip are true, found, flagged and flagged near a true one."""
    if electrons.shape != mask.shape:
        msg = (
            f"A cosmic-ray mask has shape {mask.shape}, but the truth {electrons.shape}. "
            "Give the truth of the exposures that were combined."
        )
        raise InputError(msg)
    counted = ~np.logical_or.reduce(flags) if flags else np.ones(mask.shape, dtype=bool)
    true = (electrons >= least) & counted
    flagged = mask & counted
    around = maximum_filter(electrons > 0, size=2 * near + 1, mode="constant")
    kinds = (true, true & flagged, flagged, flagged & around)
    return np.array([np.count_nonzero(kind) for kind in kinds], dtype=np.int64)


def truth_table(
    run: str | Path, truth: str | Path, *, significance: float = 5.0, near: int = 1
) -> TruthReport:
    """Compare a run over simulated exposures with the truth.

    Parameters
    ----------
    run : str or path
        Folder of the products, or their root: of this program (``keep="all"``) or of the reference.
    truth : str or path
        Folder with ``truth.json`` and ``truth_<root>.npz``.
    significance : float
        Electrons of cosmic rays, in units of the noise of an empty pixel, from which a pixel counts as hit;
        above 0.
    near : int
        How many pixels from a hit one a flagged pixel may lie and still count as right; at least 0.

    Returns
    -------
    TruthReport
        What the products allow to compare.

    Raises
    ------
    InputError
        If there is no run or no truth, or they do not belong together.
    ParameterError
        If a number is out of range.

    Examples
    --------
    >>> from drizframe.simulate import truth_table
    >>> report = truth_table("visit/products", "visit")  # doctest: +SKIP
    >>> report.total.completeness  # doctest: +SKIP
    0.93
    """
    if not significance > 0 or near < 0:
        msg = f"significance is {significance!r} and near {near!r}; they must be above 0 and at least 0."
        raise ParameterError(msg)
    known = read_truth(Path(truth))
    files = read_run(Path(run), known)
    report = TruthReport(
        run=files.name, significance=float(significance), sky=_sky(files, known),
        stars=None if files.image is None else measure_stars(files.image, known),
        rays=_rays(files, known, significance, near),
    )  # fmt: skip
    if files.image is None and not report.sky and not report.rays:
        msg = (
            f"{files.name!r} holds nothing to compare: no mosaic (*_drz_sci.fits), no sky, no masks "
            f"(*_crmask.fits) of {', '.join(known.names)}. Run with keep='all' into that folder."
        )
        raise InputError(msg)
    return report
