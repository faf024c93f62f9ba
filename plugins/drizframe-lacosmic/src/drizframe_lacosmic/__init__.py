"""Cosmic rays by L.A.Cosmic where few exposures overlap, by the stock detector elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import astroscrappy
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

import drizframe
from drizframe.hooks import choose

__all__ = ["LACOSMIC", "LaplaceOptions"]

drizframe_contract = 2

#: Code of pixels that L.A.Cosmic found.
LAPLACE = 8
#: Images with fewer rows or columns are too small for its filters.
SMALLEST = 8


class LaplaceOptions(BaseModel):
    """Parameters: ``plugins={"lacosmic": {"sigclip": 4}}`` or ``--set lacosmic.sigclip=4``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sigclip: float = Field(default=4.5, gt=0, description="Limit of the Laplacian in sigma.")
    sigfrac: float = Field(
        default=0.3, gt=0, le=1, description="Fraction of the limit for neighbours of cosmic rays."
    )
    objlim: float = Field(
        default=5.0, gt=0, description="Contrast with the fine structure; larger spares stars."
    )
    niter: int = Field(default=4, ge=1, le=20, description="Iterations.")
    satlevel: float = Field(default=65536.0, gt=0, description="Saturation in electrons.")
    bad_bits: int = Field(default=0, ge=0, description="Data-quality flags of pixels to leave out.")
    min_depth: int = Field(default=3, ge=1, description="Exposures from which on the stock detector decides.")


def laplace(
    sci: np.ndarray[Any, Any],
    noise: np.ndarray[Any, Any],
    dq: np.ndarray[Any, Any] | None,
    own: LaplaceOptions,
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return the pixels that L.A.Cosmic flags.

    Parameters
    ----------
    sci, noise : ndarray of float32, shape (ny, nx)
        Image with sky and its noise, electrons.
    dq : ndarray of integers, shape (ny, nx), or None
        Flags.
    own : LaplaceOptions
        Parameters.
    """
    if min(sci.shape) < SMALLEST:
        return np.zeros(sci.shape, dtype=bool)
    usable = np.isfinite(sci) & np.isfinite(noise)
    if dq is not None and own.bad_bits:
        usable &= (np.asarray(dq, dtype=np.int64) & own.bad_bits) == 0
    variance = np.where(usable, noise, 1).astype(np.float32) ** 2
    mask, _ = astroscrappy.detect_cosmics(
        np.where(usable, sci, 0).astype(np.float32), inmask=~usable,
        invar=np.maximum(variance, np.float32(1e-6)), gain=1.0,
        sigclip=own.sigclip, sigfrac=own.sigfrac, objlim=own.objlim, satlevel=own.satlevel, niter=own.niter,
        sepmed=False, cleantype="medmask", fsmode="median",
    )  # fmt: skip
    return np.asarray(mask, dtype=bool)


def detect(
    sci: np.ndarray[Any, Any],
    blot: np.ndarray[Any, Any] | None,
    deriv: np.ndarray[Any, Any] | None,
    noise: np.ndarray[Any, Any],
    depth: np.ndarray[Any, Any] | None,
    dq: np.ndarray[Any, Any] | None,
    options: Any,
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the codes of the pixels of a chip; see `drizframe.CosmicRayDetector`."""
    own = options.plugin or LaplaceOptions()
    shallow = np.ones(sci.shape, dtype=bool)
    if blot is not None and depth is not None:
        shallow = depth < own.min_depth
    codes = np.zeros(sci.shape, dtype=np.uint8)
    if shallow.any():
        codes[shallow & laplace(sci, noise, dq, own)] = LAPLACE
    if not shallow.all():
        stock, _ = choose(drizframe.registry().get("cosmic-ray detector", "deriv"), "auto")
        codes = np.where(shallow, codes, stock(sci, blot, deriv, noise, depth, dq, options))
    return codes


def halo(options: Any) -> int:
    """Pixels around a pixel that its code can depend on: the filters of one iteration, times the iterations."""
    own = options.plugin or LaplaceOptions()
    stock = 1 + max(options.grow // 2, options.ctegrow if options.cte_direction else 0)
    return max(stock, 12 * own.niter)


LACOSMIC = drizframe.CosmicRayDetector(
    name="lacosmic",
    summary="L.A.Cosmic where few exposures overlap, the stock detector elsewhere.",
    reference=detect,
    halo=halo,
    options_model=LaplaceOptions,
    traits=frozenset({"needs_depth", "picklable"}),
    cite="van Dokkum 2001, PASP 113, 1420; astroscrappy",
)


@drizframe.hookimpl
def drizframe_cosmic_ray_detectors() -> Iterator[drizframe.CosmicRayDetector]:
    """Give drizframe the detector."""
    yield LACOSMIC
