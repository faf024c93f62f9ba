"""The keywords ``Dnnn…`` by which products tell what was drizzled and how."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drizframe.stock.io.facts import ProductFacts
from drizframe.stock.io.text import header_text

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Chip, Exposure

__all__ = ["put_drizzle"]

#: One set for each drizzled chip.
_DRIZZLE = re.compile(
    r"^D\d{3,}(VER|GEOM|DATA|DEXP|OUDA|OUWE|OUCO|MASK|WTSC|KERN|PIXF|COEF|OUUN|FVAL|WKEY|SCAL|ISCL)$"
)


def put_drizzle(primary: Header, facts: ProductFacts) -> None:
    """Write ``NDRIZIM`` and one set of keywords for each chip.

    Parameters
    ----------
    primary : Header
        Header that gets them.
    facts : ProductFacts
        What was drizzled.
    """
    from astropy.io.fits import Card

    for key in [k for k in primary if _DRIZZLE.match(k)]:  # of an input that is itself a product
        primary.remove(key, ignore_missing=True)
    chips = facts.chips()
    primary["NDRIZIM"] = (len(chips), "Drizzle, No. images drizzled onto output")
    for number, (unit, exposure, chip) in enumerate(chips, start=1):
        for key, (value, comment) in _drizzle_keys(facts, unit, exposure, chip).items():
            name = f"D{number:03d}{key}"
            card = Card(name if len(name) <= 8 else f"HIERARCH {name}", value, f"Drizzle, {comment}")
            primary.append(card, end=True)


def _drizzle_keys(
    facts: ProductFacts, unit: Any, exposure: Exposure, chip: Chip
) -> dict[str, tuple[Any, str]]:
    """Return the keywords of one chip: value and comment."""
    root = header_text(exposure.name)
    name = header_text(str(exposure.extra.get("file", f"{exposure.name}.fits")))
    stem = header_text(facts.stem)
    scale = facts.weight_scale.get(unit, 1)
    return {
        "VER": (f"drizframe {facts.version}", "task version"),
        "GEOM": ("wcs", "source of geometric information"),
        "DATA": (f"{name}[sci,{chip.extver}]", "input data image"),
        "DEXP": (chip.exptime, "input image exposure time (s)"),
        "OUDA": (f"{stem}.fits", "output data image"),
        "OUWE": (f"{stem}_wht.fits", "output weighting image"),
        "OUCO": (f"{stem}_ctx.fits" if facts.context else "", "output context image"),
        "MASK": (f"{root}_sci{chip.extver}_{facts.kind}_mask.fits", "input weighting image"),
        "WTSC": (scale, "weighting factor for input image"),
        "KERN": (facts.kernel, "form of weight distribution kernel"),
        "PIXF": (facts.pixfrac, "linear size of drop"),
        "COEF": ("SIP" if facts.coeffs else "", "source of coefficients"),
        "OUUN": (facts.units, "units of output image - counts or cps"),
        "FVAL": (
            "INDEF" if facts.fillval is None else str(facts.fillval),
            "fill value for zero weight output pix",
        ),
        "WKEY": (facts.wcskey, "WCS version of the input image"),
        "SCAL": (facts.frame.scale, "pixel size (arcsec) of output image"),
        "ISCL": (chip.idc_scale if chip.idc_scale is not None else "", "default IDCTAB pixel size(arcsec)"),
    }
