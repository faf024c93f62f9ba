"""Bundled real data."""

from __future__ import annotations

from pathlib import Path

__all__ = ["stis_sample"]


def stis_sample() -> Path:
    """Return the path of the bundled file: a cut-out of two HST/STIS exposures of one field.

    Returns
    -------
    pathlib.Path
        A compressed FITS file with two image sets; PROVENANCE.md beside it tells where it comes from.
    """
    folder = Path(__file__).parent / "stis_sample"
    return next(iter(sorted(folder.glob("*_flt.fits*"))))
