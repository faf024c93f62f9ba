"""Flat fields named in headers, for inverse-variance weights."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from drizframe.config.names import base_name
from drizframe.errors import InputError
from drizframe.fits.beside import opened_fits
from drizframe.headers import header_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from astropy.io.fits import HDUList, Header

__all__ = ["FlatSource", "expand", "flat_facts"]

_NONE = frozenset({"", "N/A", "NA", "NONE"})
#: Variables that name a folder of reference files: jref, iref, oref, uref, nref.
_VARIABLE = re.compile(r"[A-Za-z]{1,4}ref", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FlatSource:
    """Loads the flat field of one chip when it is called: a picklable record.

    Parameters
    ----------
    names : tuple of str
        Names as in the header (``jref$name_pfl.fits``); the product of their images is the flat.
    chip : int
        The chip's number on the detector, by which the extension is chosen.
    extver : int
        Used where the flat has no chip numbers.
    shape : tuple of int
        Rows and columns of the science image.
    ltv : tuple of float
        ``LTV1``, ``LTV2`` of the science image.
    reciprocal : bool
        Whether the reference file holds the inverse of the flat.
    """

    names: tuple[str, ...]
    chip: int
    extver: int
    shape: tuple[int, int]
    ltv: tuple[float, float]
    reciprocal: bool = False

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files that it reads, as far as they are there."""
        found = [resolve_reference(n)[0] for n in self.names if n.strip().upper() not in _NONE]
        return tuple(p for p in found if p is not None)

    def __call__(self) -> tuple[np.ndarray[Any, np.dtype[np.float64]] | None, tuple[str, ...]]:
        """Return the flat, shape `shape`, or None if no part was found, and notes on what was not found."""
        notes = []
        flat: np.ndarray[Any, np.dtype[np.float64]] | None = None
        for name in self.names:
            part, note = self._part(name)
            if note:
                notes.append(note)
            if part is not None:
                flat = part if flat is None else flat * part
        return flat, tuple(notes)

    def _part(self, name: str) -> tuple[np.ndarray[Any, np.dtype[np.float64]] | None, str]:
        """Return one factor of the flat."""
        if name.strip().upper() in _NONE:
            return None, f"the header names no flat field ({name!r})"
        path, note = resolve_reference(name)
        if path is None:
            return None, note
        try:
            with opened_fits(path, f"the header names the flat field {str(path)!r}") as hdus:
                image = self._image(hdus)
        except InputError as error:
            return None, str(error)
        if image is None:
            return None, f"flat field {path} has no image for chip {self.chip}"
        image = self._cut(image)
        if image is None:
            return (
                None,
                f"flat field {path} does not cover an image of {self.shape[1]} x {self.shape[0]} pixels",
            )
        if self.reciprocal:
            image = np.divide(1.0, image, out=np.ones_like(image), where=image != 0)
        return image, ""

    def _image(self, hdus: HDUList) -> np.ndarray[Any, np.dtype[np.float64]] | None:
        """Return the image of this chip: by chip number where the file tells it, else by ``EXTVER``."""
        images = [h for h in hdus if h.is_image and h.header.get("NAXIS") == 2]
        science = [h for h in images if h.name in {"SCI", ""} or h.name == "PRIMARY"] or images
        for key in ("CCDCHIP", "DETECTOR", "CAMERA"):
            for hdu in science:
                if hdu.header.get(key) == self.chip:
                    return np.asarray(hdu.data, dtype=np.float64)
        same = [h for h in science if h.ver == self.extver] or science[:1]
        return np.asarray(same[0].data, dtype=np.float64) if same else None

    def _cut(
        self, image: np.ndarray[Any, np.dtype[np.float64]]
    ) -> np.ndarray[Any, np.dtype[np.float64]] | None:
        """Return the part of a flat that a subarray covers; a coarse flat is expanded first."""
        ny, nx = self.shape
        if image.shape == self.shape:
            return image
        if image.shape[0] < ny or image.shape[1] < nx:
            if ny % image.shape[0] or nx % image.shape[1]:
                return None
            return expand(image, ny // image.shape[0], nx // image.shape[1])
        x0, y0 = (round(max(0.0, -v)) for v in self.ltv)
        piece = image[y0 : y0 + ny, x0 : x0 + nx]
        return piece if piece.shape == self.shape else None


def expand(
    image: np.ndarray[Any, np.dtype[np.float64]], fy: int, fx: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Enlarge an image by whole factors, bilinearly, with linear extrapolation at the edges.

    Parameters
    ----------
    image : ndarray of float64, shape (ny, nx)
    fy, fx : int
        Factors.

    Returns
    -------
    ndarray of float64, shape (fy ny, fx nx)

    Notes
    -----
    Output pixel x lies at x/f - (f - 1)/(2 f) of the input.
    """

    def along(
        values: np.ndarray[Any, np.dtype[np.float64]], factor: int
    ) -> np.ndarray[Any, np.dtype[np.float64]]:
        n = values.shape[0]
        if n == 1:
            return np.repeat(values, factor, axis=0)
        position = np.arange(n * factor) / factor - (factor - 1) / (2 * factor)
        low = np.clip(np.floor(position).astype(int), 0, n - 2)
        part = (position - low)[:, None]
        result: np.ndarray[Any, np.dtype[np.float64]] = values[low] * (1 - part) + values[low + 1] * part
        return result

    return np.ascontiguousarray(along(along(image, fy).T, fx).T)


def resolve_reference(name: str) -> tuple[Path | None, str]:
    """Return the path of a reference file and why there is none.

    Parameters
    ----------
    name : str
        As the header gives it: ``variable$file``, where the variable names a folder of reference files (``jref``),
        or the name of a file in the current folder.  Nothing else is opened: whoever wrote the header does not say
        what is read.
    """
    text = name.strip()
    variable, dollar, rest = text.rpartition("$")
    try:
        rest = base_name(rest, f"flat field {name!r}: the name")
    except InputError as error:
        return None, str(error)
    folder = Path()
    if dollar:
        if not _VARIABLE.fullmatch(variable):
            return (
                None,
                f"flat field {name!r}: {variable!r} is no variable of reference files, such as 'jref'",
            )
        if not os.environ.get(variable):
            return None, f"flat field {name!r}: the environment variable {variable} is not set"
        folder = Path(os.environ[variable]).expanduser()
    path = folder / rest
    return (path, "") if path.is_file() else (None, f"flat field {path} does not exist")


def flat_facts(
    primary: Header, science: Header, keywords: tuple[str, ...], *, reciprocal: bool = False
) -> Mapping[str, Any]:
    """Return ``{"flat": FlatSource}`` for a chip, empty if no keyword is there.

    Parameters
    ----------
    primary, science : Header
        Headers of the exposure.
    keywords : tuple of str
        Primary keywords that name reference files.
    reciprocal : bool
        Whether the files hold the inverse of the flat.
    """
    names = tuple(str(primary[k]) for k in keywords if k in primary)
    if not names:
        return {}
    axes = ("NAXIS2", "NAXIS1") if science.get("NAXIS", 0) else ("NPIX2", "NPIX1")
    shape = (int(science.get(axes[0], 0)), int(science.get(axes[1], 0)))
    chip = next(
        (
            h[k]
            for h in (science, primary)
            for k in ("CCDCHIP", "DETECTOR", "CAMERA")
            if isinstance(h.get(k), int)
        ),
        1,
    )
    ltv = (header_number(science, "LTV1", 0.0) or 0.0, header_number(science, "LTV2", 0.0) or 0.0)
    extver = int(header_number(science, "EXTVER", 1) or 1)
    source = FlatSource(names, int(chip), extver, shape, ltv, reciprocal)
    return {"flat": source}
