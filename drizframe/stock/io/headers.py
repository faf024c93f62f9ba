"""Headers of products."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import drizframe
from drizframe.stock.io.blending import Rules, blend, choose_rules, keyword_table
from drizframe.stock.io.drizzle_keywords import put_drizzle
from drizframe.stock.io.facts import ProductFacts, distinct, plain, totals
from drizframe.stock.io.text import header_text
from drizframe.stock.io.wcs_keywords import STALE, TABLES, put_wcs, wcs_type

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from drizframe.model import Chip, Exposure, Frame

__all__ = ["ProductHeaders", "blot_header", "frame_headers", "product_headers", "simple_header"]

#: Statistics of single input images; they mean nothing for a product.
_STATISTICS = (
    "NGOODPIX",
    "GOODMIN",
    "GOODMAX",
    "GOODMEAN",
    "SNRMIN",
    "SNRMAX",
    "SNRMEAN",
    "SOFTERRS",
    "DATAMIN",
    "DATAMAX",
)
#: Structure of an extension, which a file without extensions does not have.
_STRUCTURE = frozenset(
    {
        "SIMPLE",
        "BITPIX",
        "NAXIS",
        "NAXIS1",
        "NAXIS2",
        "NAXIS3",
        "EXTEND",
        "XTENSION",
        "PCOUNT",
        "GCOUNT",
        "EXTNAME",
        "EXTVER",
        "BSCALE",
        "BZERO",
        "DATE",
        "IRAF-TLM",
        "COMMENT",
        "HISTORY",
        "",
        "PIXVALUE",
        "NPIX1",
        "NPIX2",
    }
)
_NO_UNIT = "UNITLESS"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProductHeaders:
    """Headers of the parts of a product, without ``FILENAME`` and ``NEXTEND``, which the writer adds.

    Parameters
    ----------
    primary, sci, wht, ctx : Header
        Headers.
    table : mapping of str to list
        Columns of the table of input keywords; empty: none.
    notes : tuple of str
        Warnings.
    """

    primary: Header
    sci: Header
    wht: Header
    ctx: Header
    table: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def parts(self) -> dict[str, Header]:
        """Return the headers as `Mosaic.headers` wants them."""
        return {"primary": self.primary, "sci": self.sci, "wht": self.wht, "ctx": self.ctx}


def _clean(header: Header) -> None:
    """Remove distortion, earlier WCSs, scaling and statistics."""
    for key in [k for k in dict.fromkeys(header) if STALE.match(k)]:
        header.remove(key, ignore_missing=True, remove_all=True)
    for key in ("BSCALE", "BZERO", *_STATISTICS):
        header.remove(key, ignore_missing=True, remove_all=True)


def _science(facts: ProductFacts, unit: Any, chip: Chip) -> Header:
    """Return a chip's science header with the sky of this run."""
    header = chip.header.copy()
    level = facts.sky.get(unit)
    if level is not None:
        header["MDRIZSKY"] = (plain(level), "Sky value computed by AstroDrizzle")
    return header


def _other(chip: Chip, kind: str) -> Header:
    """Return the header of the error or data-quality image; without one, the science header."""
    header = chip.extra.get("headers", {}).get(kind, chip.header).copy()
    header["BUNIT"] = _NO_UNIT
    return header


def _primary(exposure: Exposure) -> Header:
    """Return the primary header of an exposure without an old sky value."""
    from astropy.io.fits import Header

    header = exposure.primary.copy() if exposure.primary is not None else Header()
    header.remove("MDRIZSKY", ignore_missing=True)
    if "file" in exposure.extra:
        header["FILENAME"] = header_text(exposure.extra["file"])
    return header


def _sets(facts: ProductFacts) -> tuple[list[Header], list[Header], list[Header], list[Header]]:
    """Return primary headers of exposures, and SCI, ERR and DQ headers of chips."""
    chips = facts.chips()
    return (
        [_primary(e) for e in distinct(facts.exposures)],
        [_science(facts, u, c) for u, _, c in chips],
        [_other(c, "err") for _, _, c in chips],
        [_other(c, "dq") for _, _, c in chips],
    )


def _row(exposure: Exposure, science: Header) -> dict[str, Any]:
    """Return all keywords of a chip; those of the primary header win."""
    from astropy.io.fits.card import Undefined

    both: dict[str, Any] = {}
    for header in (science, _primary(exposure)):
        both.update({c.keyword: c.value for c in header.cards if not isinstance(c.value, Undefined)})
    return {k: v for k, v in both.items() if k not in {"", "COMMENT", "HISTORY"}}


def _filter_note(facts: ProductFacts) -> tuple[str, ...]:
    """Return a warning if photometric keywords of different filters were averaged."""
    zero = [c.header.get("PHOTFLAM") for _, _, c in facts.chips()]
    modes = {tuple(str(c.header.get("PHOTMODE", "")).split()[2:]) for _, _, c in facts.chips()}
    if len(modes) > 1 and any(z is not None for z in zero):
        return (
            "the inputs have different filters; PHOTFLAM and its like in the product are means over them",
        )
    return ()


def product_headers(facts: ProductFacts) -> ProductHeaders:
    """Return the headers of a mosaic, or of one singly drizzled exposure.

    Parameters
    ----------
    facts : ProductFacts
        What they must say.

    Returns
    -------
    ProductHeaders
    """
    primaries, science, errors, flags = _sets(facts)
    table: Mapping[str, Sequence[Any]] = {}
    notes: tuple[str, ...] = ()
    if facts.kind == "single":
        primary, sci, wht, ctx = primaries[0], science[0], errors[0], flags[0]
    else:
        telescope = str(primaries[0].get("TELESCOP", ""))
        rules = choose_rules(
            facts.rules_file,
            [str(e.extra.get("rules") or e.family) for e in facts.exposures],
            telescope,
            facts.rules_folder,
        )
        context = (primaries[0], science[0], errors[0], flags[0])
        primary, sci, wht, ctx = (
            blend(rules, group, context) for group in (primaries, science, errors, flags)
        )
        rows = [_row(e, h) for (_, e, _), h in zip(facts.chips(), science, strict=True)]
        table = keyword_table(rules, rows, context)
        notes = _filter_note(facts)
        _put_rules(primary, rules, facts)
    for header in (sci, wht, ctx):
        _clean(header)
        put_wcs(header, facts.frame)
    _put_primary(primary, facts)
    _put_science(sci, facts)
    wht["CCDCHIP"] = "-999"
    return ProductHeaders(primary=primary, sci=sci, wht=wht, ctx=ctx, table=table, notes=notes)


def _put_rules(primary: Header, rules: Rules | None, facts: ProductFacts) -> None:
    """Say which rules were used."""
    if rules is None:
        return
    primary["RULESVER"] = (rules.version, "Version ID for header kw rules file")
    primary["BLENDVER"] = (facts.version, "Version of drizframe that blended headers")
    primary["RULEFILE"] = (rules.name, "Rules for blending headers")
    if facts.rules_history:
        primary["HISTORY"] = "Header generation rules:"
        for key, column in rules.columns:
            primary["HISTORY"] = f"{key} {column}" if key != column else key
        for words in rules.functions:
            primary["HISTORY"] = " ".join(words)


def _put_primary(primary: Header, facts: ProductFacts) -> None:
    """Write the keywords of the run."""
    import astropy
    import numpy as np

    primary["EXTEND"] = True
    primary["DATE"] = (time.strftime("%Y-%m-%d"), "date this file was written (yyyy-mm-dd)")
    primary["PROD_VER"] = f"drizframe {facts.version}"
    primary["DRIZPARS"] = (header_text(facts.log), "Logfile for processing")
    root = header_text(facts.exposures[0].name if facts.kind == "single" else Path(facts.names.root).name)
    primary["ROOTNAME"] = root.removesuffix("_drw")
    seconds, start, end, _ = totals(facts.exposures)
    if facts.kind == "single":
        seconds, start, end = facts.exposures[0].exptime, facts.exposures[0].start, facts.exposures[0].end
    if seconds > 0:
        primary["EXPTIME"] = (seconds, "exposure duration (seconds)--calculated")
        primary.set("TEXPTIME", seconds, after="EXPTIME")
        primary["EXPSTART"] = (start, "exposure start time (Modified Julian Date)")
        primary["EXPEND"] = (end, "exposure end time (Modified Julian Date)")
    primary["ASN_MTYP"] = ("PROD-DTH", "Role of the Member in the Association")
    for key in ("DRIZCORR", "DITHCORR"):
        if key in primary:
            primary[key] = "COMPLETE"
    put_drizzle(primary, facts)
    primary["HISTORY"] = "Processing performed using:"
    for name, version in (
        ("drizframe", facts.version),
        ("astropy", astropy.__version__),
        ("NumPy", np.__version__),
    ):
        primary["HISTORY"] = f"    {name} version {version}"


def _put_science(sci: Header, facts: ProductFacts) -> None:
    """Write what the science image is."""
    sci.remove("OBJECT", ignore_missing=True)
    if "CCDCHIP" in sci:
        sci["CCDCHIP"] = "-999"
    if "NCOMBINE" in sci:
        sci["NCOMBINE"] = totals(facts.exposures)[3] if facts.kind == "final" else 1
    _put_unit(sci, facts.bunit)


def _put_unit(sci: Header, unit: str) -> None:
    comment = "counts * gain = electrons" if unit.lower().startswith("count") else "Units of science product"
    sci["BUNIT"] = (unit, comment)


def blot_header(
    exposure: Exposure, chip: Chip, sky: float | None = None, version: str = drizframe.__version__
) -> tuple[Header, Header]:
    """Return primary and science header of a blotted image: the chip's own, with its distortion.

    Parameters
    ----------
    exposure, chip
        Where the image was blotted to.
    sky : float, optional
        Sky level of the chip.
    version : str
        Version of drizframe.
    """
    primary = _primary(exposure)
    sci = chip.header.copy()
    for key in [k for k in dict.fromkeys(sci) if TABLES.match(k)]:
        sci.remove(key, ignore_missing=True, remove_all=True)
    for key in ("BSCALE", "BZERO", "OBJECT", *_STATISTICS):
        sci.remove(key, ignore_missing=True)
    if sky is not None:
        sci["MDRIZSKY"] = (plain(sky), "Sky value computed by AstroDrizzle")
    if str(sci.get("WCSNAME", "")).strip():
        sci["WCSTYPE"] = wcs_type(str(sci["WCSNAME"]))
    matrix = chip.wcs.pixel_scale_matrix
    sci["ORIENTAT"] = (
        math.degrees(math.atan2(matrix[0, 1], matrix[1, 1])),
        "position angle of image y axis (deg. e of n)",
    )
    sci["VAFACTOR"] = (1.0, "velocity aberration plate scale factor")
    if "CCDCHIP" in sci:
        sci["CCDCHIP"] = "-999"
    if "NCOMBINE" in sci:
        sci["NCOMBINE"] = 1
    _put_unit(sci, chip.bunit)
    primary["EXTEND"] = True
    primary["DATE"] = (time.strftime("%Y-%m-%d"), "date this file was written (yyyy-mm-dd)")
    primary["PROD_VER"] = f"drizframe {version}"
    primary["ROOTNAME"] = header_text(exposure.name)
    primary["EXPTIME"] = (exposure.exptime, "exposure duration (seconds)--calculated")
    primary.set("TEXPTIME", exposure.exptime, after="EXPTIME")
    primary["EXPSTART"], primary["EXPEND"] = exposure.start, exposure.end
    primary["ASN_MTYP"] = ("PROD-DTH", "Role of the Member in the Association")
    primary["NDRIZIM"] = (1, "Drizzle, No. images drizzled onto output")
    return primary, sci


def simple_header(primary: Header, extension: Header, kind: str) -> Header:
    """Return the header of a file that holds one image: the primary header, and what the extension adds.

    Parameters
    ----------
    primary, extension : Header
        Headers of a file with extensions.
    kind : str
        ``"SCI"``, ``"WHT"`` or ``"CTX"``.
    """
    header = primary.copy()
    for key in ("NEXTEND", "EXTNAME", "EXTVER", "PCOUNT", "GCOUNT", "XTENSION"):
        header.remove(key, ignore_missing=True, remove_all=True)
    if "FILETYPE" in header or "TELESCOP" not in header:
        header["FILETYPE"] = (kind, "Type of data in array")
    else:
        header.insert("TELESCOP", ("FILETYPE", kind, "Type of data in array"))
    for card in extension.cards:
        if card.keyword not in _STRUCTURE and card.keyword not in header:
            header.append(card, bottom=False)
    return header


def frame_headers(frame: Frame, unit: str, exptime: float) -> dict[str, Header]:
    """Return headers of a product of which nothing is known but its frame.

    Parameters
    ----------
    frame : Frame
        Output grid.
    unit : str
        Unit of the science image.
    exptime : float
        Total exposure time in seconds; 0: unknown.
    """
    from astropy.io.fits import Header

    headers = {k: Header() for k in ("primary", "sci", "wht", "ctx")}
    if exptime > 0:
        headers["primary"]["EXPTIME"] = (exptime, "exposure duration (seconds)--calculated")
    for kind in ("sci", "wht", "ctx"):
        put_wcs(headers[kind], frame)
    _put_unit(headers["sci"], unit)
    return headers
