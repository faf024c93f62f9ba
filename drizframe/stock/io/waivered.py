"""Waivered FITS: a cube in the primary HDU, one plane a chip, and a table with the keywords of each."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drizframe.errors import InputError, UnreadableInputError, told
from drizframe.fits.opening import open_fits, sound
from drizframe.stock.io.layout import ChipPlace, check_pixels, companion

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header

__all__ = ["is_waivered", "split_primary", "waivered_chips"]

_CUBE = 3  # axes
_THIRD_AXIS = ("NAXIS3", "CTYPE3", "CRVAL3", "CRPIX3", "CD3_3", "CD3_1", "CD3_2", "CD1_3", "CD2_3")


def is_waivered(hdus: HDUList) -> bool:
    """Tell whether a file is a waivered one: a primary cube, then a table with one row for each plane.

    Parameters
    ----------
    hdus : HDUList
        The open file.
    """
    return (
        len(hdus) == 2
        and hdus[0].header.get("NAXIS") == _CUBE
        and "TTYPE1" in hdus[1].header
        and hdus[1].header.get("NAXIS2") == hdus[0].header.get("NAXIS3")
    )


def _rows(hdus: HDUList, path: Path) -> list[dict[str, Any]]:
    """Return the keywords of each chip."""
    with warnings.catch_warnings():  # the display formats of these tables are not those of the standard
        warnings.simplefilter("ignore")
        try:
            table, units = hdus[1].data, {c.name: str(c.unit or "") for c in hdus[1].columns}
            rows = [{n: row[n] for n in table.names} for row in table]
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
            msg = f"{path}: the table of chip keywords cannot be read ({told(error)}). Get the file again."
            raise UnreadableInputError(msg) from error
    return [{n: _plain(v, units[n]) for n, v in row.items()} for row in rows]


def _plain(value: Any, unit: str) -> Any:
    """Return a value of the table as a header value."""
    if isinstance(value, str):
        text = value.strip()
        return text.upper() == "T" if unit.startswith("LOGICAL") else text
    return value.item() if hasattr(value, "item") else value


def _flag_planes(path: Path, cube: Header) -> int:
    """Return how many planes of flags a second file holds, on the pixels of the cube."""
    with open_fits(path) as hdus, sound(path):
        header = hdus[0].header
        if header.get("NAXIS") != _CUBE:
            return 0
        if any(header[f"NAXIS{i}"] != cube[f"NAXIS{i}"] for i in (1, 2)):
            msg = (
                f"{path}: the flags have {header['NAXIS1']} x {header['NAXIS2']} pixels, the science images "
                f"{cube['NAXIS1']} x {cube['NAXIS2']}. Get the files again."
            )
            raise InputError(msg)
        return int(header["NAXIS3"])


def split_primary(hdus: HDUList, path: Path) -> Header:
    """Return the primary header without the keywords that belong to single chips.

    Parameters
    ----------
    hdus : HDUList
        The open file.
    path : pathlib.Path
        Its name.
    """
    header = hdus[0].header.copy()
    for key in ("BSCALE", "BZERO", *_THIRD_AXIS, *(k for row in _rows(hdus, path)[:1] for k in row)):
        header.remove(key, ignore_missing=True, remove_all=True)
    header["NAXIS"] = 0
    for key in ("NAXIS1", "NAXIS2"):
        header.remove(key, ignore_missing=True)
    return header


def waivered_chips(hdus: HDUList, path: Path) -> list[ChipPlace]:
    """Return the chips of a waivered file in order; flags come from the file ``_c1f`` next to ``_c0f``.

    Parameters
    ----------
    hdus : HDUList
        The open file.
    path : pathlib.Path
        Its name.
    """
    from astropy.io.fits import Header

    cube = hdus[0].header
    check_pixels(cube, f"{path}[0]")
    other = companion(path)
    flags = _flag_planes(other, cube) if other is not None else 0
    chips = []
    for number, row in enumerate(_rows(hdus, path), start=1):
        header = Header()
        header["NAXIS"], header["NAXIS1"], header["NAXIS2"] = 2, cube["NAXIS1"], cube["NAXIS2"]
        header["EXTNAME"], header["EXTVER"] = "SCI", number
        for key, value in row.items():
            if key not in header:  # the structure is that of the cube
                header[key] = value
        places = {"sci": (str(path), 0, number - 1)}
        if other is not None and number <= flags:
            places["dq"] = (str(other), 0, number - 1)
        chips.append(ChipPlace(extver=number, index=number, header=header, places=places))
    return chips
