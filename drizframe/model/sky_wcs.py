"""What is given as a WCS: taken, taken apart, or refused with what to give instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drizframe.errors import WCSError

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["celestial", "refuse_other_kinds"]


def celestial(wcs: Any, where: str) -> WCS:
    """Return a celestial WCS of two axes.

    Parameters
    ----------
    wcs : Any
        An astropy.wcs.WCS, or the high-level wrapper of one.
    where : str
        Name of the image, for the message.

    Raises
    ------
    WCSError
        If it is none; the message says what to give.
    """
    from astropy.wcs import WCS

    from drizframe.model.exposure import check_celestial

    inner = getattr(wcs, "low_level_wcs", None)
    if not isinstance(wcs, WCS) and isinstance(inner, WCS):
        wcs = inner  # NDData wraps what it is given
    check_celestial(wcs, where)
    found: WCS = wcs
    return found


def refuse_other_kinds(wcs: Any, where: str) -> None:
    """Raise `WCSError` if an object is no astropy.wcs.WCS, or one of another number of axes; say what to give."""
    from astropy.wcs import WCS

    if not isinstance(wcs, WCS):
        came, wanted = _other(wcs)
        msg = f"The WCS of {where} is {came}; give {wanted}."
        raise WCSError(msg)
    if wcs.naxis != 2:
        kinds = [str(c) for c in wcs.wcs.ctype]
        msg = (
            f"The WCS of {where} has {wcs.naxis} axes (CTYPE {kinds}); an image has two, and both on the sky. Give its celestial "
            "part, wcs.celestial, with one plane of the data."
        )
        raise WCSError(msg)


def _other(wcs: Any) -> tuple[str, str]:
    """Return what an object is, and what to give in its place."""
    from astropy.io.fits import Header

    kind = type(wcs)
    name, module = kind.__name__, kind.__module__
    if wcs is None:
        return "None", "an astropy.wcs.WCS, such as WCS(header)"
    if isinstance(wcs, Header):
        return "a FITS Header", "astropy.wcs.WCS(header)"
    if hasattr(wcs, "header"):
        return f"{name}, an extension of a file", "astropy.wcs.WCS(hdu.header)"
    if module.partition(".")[0] == "gwcs":
        return (
            f"a gwcs ({module}.{name})",
            "an astropy.wcs.WCS: WCS(gwcs_object.to_fits_sip()) makes one and says how well it fits",
        )
    if hasattr(wcs, "pixel_to_world_values") or hasattr(wcs, "low_level_wcs"):
        return (
            f"{name}, a WCS of another kind (APE 14, perhaps sliced)",
            "an astropy.wcs.WCS of two celestial axes, such as wcs.celestial of the one it was made from",
        )
    return f"{wcs!r:.60} ({name})", "an astropy.wcs.WCS, such as WCS(header)"
