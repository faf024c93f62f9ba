"""The keywords ``Dnnn…`` by which products tell what was drizzled and how."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from drizframe.stock.io.text import header_text
from drizframe.stock.products.facts import ProductFacts

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Chip, Exposure

__all__ = ["drop_drizzle", "put_drizzle", "rename_products"]

#: One set for each drizzled chip.
_DRIZZLE = re.compile(
    r"^D\d{3,}(VER|GEOM|DATA|DEXP|OUDA|OUWE|OUCO|MASK|WTSC|KERN|PIXF|COEF|OUUN|FVAL|WKEY|SCAL|ISCL|SKYM)$"
)


def drop_drizzle(header: Header) -> None:
    """Remove these keywords from the header of an input that is itself a product.

    Parameters
    ----------
    header : Header
        Header that is changed.
    """
    for key in [k for k in dict.fromkeys(header) if _DRIZZLE.match(k) or k == "NDRIZIM"]:
        header.remove(key, ignore_missing=True, remove_all=True)


def rename_products(primary: Header, stem: str) -> None:
    """Write the names under which a product is really stored.

    Parameters
    ----------
    primary : Header
        Primary header of the product; it is changed where it names its files.
    stem : str
        Root and tag of the names, without folder.
    """
    root = header_text(re.sub(r"_dr[a-z0-9]$", "", stem))
    if "ROOTNAME" in primary:
        primary["ROOTNAME"] = root
    for key in [k for k in primary if _DRIZZLE.match(k) and k.endswith(("OUDA", "OUWE", "OUCO"))]:
        tail = {"A": ".fits", "E": "_wht.fits", "O": "_ctx.fits"}[key[-1]]
        if primary[key]:
            primary[key] = header_text(stem) + tail


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

    drop_drizzle(primary)
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
    method = facts.sky_method.get(unit)
    told = {} if method is None else {"SKYM": (method, "how the sky was found")}
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
    } | told
